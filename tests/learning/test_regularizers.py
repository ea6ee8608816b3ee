import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.learning.regularizers import L2, Points, UnitBall
from tests.learning.scenes import scene


def test_l2_in_loops() -> None:
    here = scene(rows=3, candidates=2)
    expected = 0.0
    for part in (here.users, here.positives, here.candidates):
        expected += sum(sum(x**2 for x in row) for row in part.tolist()) / len(part)
    value = L2(0.1)(Points(here.users, here.positives, here.candidates)).item()
    assert value == pytest.approx(0.1 / 2 * expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9999), st.floats(0.1, 10))
def test_the_unit_ball_is_a_projection(seed: int, radius: float) -> None:
    """Inside nothing moves; outside the direction stays and the length is the radius; twice is once."""
    points = torch.randn(6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    projected = UnitBall(radius)(points)
    length, before = projected.norm(dim=1), points.norm(dim=1)
    torch.testing.assert_close(length, before.clamp(max=radius))
    torch.testing.assert_close(projected * before[:, None], points * length[:, None])
    torch.testing.assert_close(UnitBall(radius)(projected), projected)


def test_the_origin_stays() -> None:
    assert torch.equal(UnitBall()(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L2(-1.0), "weight is -1.0; it must not be negative"),
        (lambda: UnitBall(0.0), "radius is 0.0; it must be positive"),
    ],
)
def test_values_that_cannot_be(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]

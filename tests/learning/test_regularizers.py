import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.learning.regularizers import L2, Center, Points, Uniformity, UnitBall
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


def test_uniformity_in_loops() -> None:
    """Wang et al. 2022, equation 6, over ordered pairs of different rows."""
    here, expected = scene(rows=5, candidates=1), 0.0
    for part in (here.users, here.positives):
        points = [[x / math.hypot(*row) for x in row] for row in part.tolist()]
        chances = [
            math.exp(-2 * sum((x - y) ** 2 for x, y in zip(points[a], points[b], strict=True)))
            for a in range(5)
            for b in range(5)
            if a != b
        ]
        expected += math.log(sum(chances) / len(chances))
    value = Uniformity(0.6)(Points(here.users, here.positives, here.candidates)).item()
    assert value == pytest.approx(0.6 / 2 * expected)


def test_uniformity_spreads_points() -> None:
    start = torch.randn(12, 3, generator=torch.Generator().manual_seed(0)) * 0.1 + 1
    points = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([points], lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        Uniformity()(Points(points, points, points)).backward()
        optimiser.step()
    centre = torch.nn.functional.normalize(points.detach(), dim=1).mean(0).norm()
    assert centre < 0.05


def test_one_row_and_equal_rows_are_finite() -> None:
    for rows in (1, 3):
        points = torch.ones(rows, 2, requires_grad=True)
        Uniformity()(Points(points, points, points)).backward()
        assert points.grad is not None
        assert points.grad.isfinite().all()


def test_center_in_loops() -> None:
    here = scene(rows=4, candidates=1)
    squares = [
        sum((x - y) ** 2 for x, y in zip(user, item, strict=True))
        for user, item in zip(here.users.tolist(), here.positives.tolist(), strict=True)
    ]
    value = Center(0.3)(Points(here.users, here.positives, here.candidates)).item()
    assert value == pytest.approx(0.3 / 2 * sum(squares) / 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L2(-1.0), "weight is -1.0; it must not be negative"),
        (lambda: Uniformity(0.0), "weight is 0.0; it must be positive"),
        (lambda: Center(-1.0), "weight is -1.0; it must be positive"),
        (lambda: UnitBall(0.0), "radius is 0.0; it must be positive"),
    ],
)
def test_invalid_values_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]

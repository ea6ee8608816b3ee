import numpy as np
import pytest

from recsys import plugins

FAR, NEAR = np.array([3.0, 4.0]), np.array([0.0, 0.0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dot", 11.0),
        ("cosine", 11 / 5 / 5**0.5),
        ("euclidean", -(8**0.5)),
        ("squared_euclidean", -8.0),
        ("manhattan", -4.0),
        ("chebyshev", -2.0),
        ("mahalanobis", -(8**0.5)),
    ],
)
def test_by_hand(name: str, expected: float) -> None:
    assert plugins.make("distances", name).similarity(FAR, np.array([1.0, 2.0])) == pytest.approx(expected)


def test_cosine_with_the_origin_is_zero() -> None:
    assert plugins.make("distances", "cosine").similarity(FAR, NEAR) == 0


def test_euclid_of_distant_near_points_does_not_turn_negative() -> None:
    """|a|^2 + |b|^2 - 2 a.b cancels in float32; a rounding below zero would be no number after the root."""
    a = np.full((1, 3), 1000.1, dtype=np.float32)
    for name in ("euclidean", "squared_euclidean"):
        score = plugins.make("distances", name).matrix(a, a.copy())
        assert np.isfinite(score).all()
        assert score.item() <= 0


def test_chebyshev_is_ranked_exactly_only() -> None:
    assert plugins.part("distances", "chebyshev").constants["index_metric"] is None

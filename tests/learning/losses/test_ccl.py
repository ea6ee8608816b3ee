import pytest

from recsys.learning.losses.ccl import CCL
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize(("margin", "weight"), [(0.0, 1.0), (0.4, 150.0), (0.9, 1000.0)])
def test_the_paper_in_loops(margin: float, weight: float) -> None:
    def mao(pos: float, negatives: list[float]) -> float:
        return (1 - pos) + weight / len(negatives) * sum(max(0.0, neg - margin) for neg in negatives)

    pairs = scene(seed=11).pairs()
    ours = mean(CCL(margin, weight)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, mao), abs=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 1.0}, r"margin is 1.0; it must be in \[-1, 1\)"),
        ({"weight": -1.0}, r"weight is -1.0; it must be positive"),
    ],
)
def test_invalid_values_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CCL(**options)

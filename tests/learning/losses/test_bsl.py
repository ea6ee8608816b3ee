import math

import pytest
import torch

from recsys.learning.losses.bsl import BSL
from recsys.learning.losses.infonce import InfoNCE
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize(("temperature", "power"), [(0.08, 1.22), (0.3, 0.8)])
def test_the_paper_in_loops(temperature: float, power: float) -> None:
    def wu(pos: float, negatives: list[float]) -> float:
        above = math.exp(pos / temperature)
        below = sum(math.exp(neg / temperature) for neg in negatives) / len(negatives)
        return -math.log(above / below**power)

    pairs = scene(seed=12).pairs()
    ours = mean(BSL(temperature, power)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, wu), abs=1e-10)


def test_power_one_is_a_softmax_without_the_positive_below() -> None:
    """softplus(x) is the softmax with it, x the one without: up to log N, log(e^infonce - 1)."""
    pairs = scene(seed=13, used=1.0).pairs()
    softmax = InfoNCE(0.2, correct=False)(pairs).values
    torch.testing.assert_close(BSL(0.2, 1.0)(pairs).values, torch.expm1(softmax).log() - math.log(5))


@pytest.mark.parametrize("options", [{"temperature": 0.0}, {"power": -1.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"it must be positive"):
        BSL(**options)

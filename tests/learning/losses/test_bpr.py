import pytest
import torch

from recsys.learning.losses.bpr import BPR
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize("distance", ["dot", "cosine", "euclidean"])
def test_the_paper_in_loops(distance: str) -> None:
    pairs = scene(seed=1).pairs(distance)
    assert mean(BPR(temperature=1.0)(pairs)).value().item() == pytest.approx(
        oracles.over_pairs(pairs, oracles.bpr), abs=1e-12
    )


def test_it_is_a_logarithm_and_not_one_minus_the_sigmoid() -> None:
    """A well-known slip: 1 - sigmoid is bounded by 1, and its gradient dies where the order is most wrong."""
    pairs = Pairs(torch.tensor([-30.0], requires_grad=True), torch.tensor([[30.0]]), torch.ones(1, 1).bool())
    value = BPR()(pairs).values.sum()
    value.backward()
    assert value.item() == pytest.approx(60)
    assert pairs.pos.grad is not None
    assert pairs.pos.grad.item() == pytest.approx(-1)


def test_a_low_temperature_makes_it_a_hinge() -> None:
    pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.9, 0.1]]), torch.ones(1, 2).bool())
    torch.testing.assert_close(BPR(temperature=0.01)(pairs).values, torch.tensor([[0.4, 0.0]]))


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_that_is_not_positive_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match=f"temperature is {temperature}; it must be positive"):
        BPR(temperature=temperature)

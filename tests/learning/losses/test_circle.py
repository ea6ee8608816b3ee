import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.circle import Circle
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    def sun(pos: float, negatives: list[float], m: float = 0.3, gamma: float = 20.0) -> float:
        near = math.exp(-gamma * max(0.0, 1 + m - pos) * (pos - (1 - m)))
        far = sum(math.exp(gamma * max(0.0, neg + m) * (neg - m)) for neg in negatives)
        return math.log(1 + far * near)

    pairs = scene(seed=26).pairs()
    ours = mean(Circle(0.3, 20.0)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, sun), abs=1e-8)


def test_pytorch_metric_learning() -> None:
    here = scene(seed=27, used=0.9)
    loss = theirs.CircleLoss(
        m=0.4, gamma=80, distance=second_oracle.distance("cosine"), reducer=second_oracle.mean()
    )
    ours = mean(Circle(0.4, 80.0)(here.pairs())).value().item()
    assert ours == pytest.approx(second_oracle.on_pairs(loss, here), abs=1e-6)


def test_the_weights_carry_no_gradient() -> None:
    """Equation 10: the gradient is that of a softmax, times gamma and the weight held still."""
    pos = torch.tensor([0.4], requires_grad=True)
    pairs = Pairs(pos, torch.tensor([[0.2]]), torch.ones(1, 1, dtype=torch.bool))
    Circle(0.25, 2.0)(pairs).values.sum().backward()
    logit = 2.0 * (0.2 + 0.25) * (0.2 - 0.25) - 2.0 * (1.25 - 0.4) * (0.4 - 0.75)
    assert pos.grad is not None
    assert pos.grad.item() == pytest.approx(-2.0 * (1.25 - 0.4) / (1 + math.exp(-logit)))


@pytest.mark.parametrize("options", [{"margin": 0.0}, {"margin": 1.0}, {"scale": 0.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"it must be"):
        Circle(**options)

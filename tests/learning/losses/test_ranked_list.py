import math

import pytest
import torch

from recsys.learning.losses.ranked_list import RankedList
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    """Distances d = -score, alpha = 3, m = 1.2, T = 2, lambda = 0.6."""

    def wang(pos: float, negatives: list[float]) -> float:
        near = max(0.0, -pos - (3.0 - 1.2))
        inside = [-neg for neg in negatives if -neg < 3.0]
        weights = [math.exp(2 * (3.0 - d)) for d in inside]
        far = sum(w * (3.0 - d) for w, d in zip(weights, inside, strict=True))
        return 0.4 * near + 0.6 * (far / sum(weights) if weights else 0.0)

    pairs = scene(seed=40).pairs("euclidean")
    ours = mean(RankedList(-3.0, 1.2, 2.0, 0.6)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, wang), abs=1e-10)


def test_the_weights_carry_no_gradient() -> None:
    """Each violator is pushed with its share of the weight: the shares add up to the balance."""
    neg = torch.tensor([[0.5, 0.3, -0.9]], requires_grad=True)
    pairs = Pairs(torch.tensor([1.0]), neg, torch.ones(1, 3, dtype=torch.bool))
    RankedList(negative=0.2, slope=4.0)(pairs).values.sum().backward()
    high, low = math.exp(4 * 0.3), math.exp(4 * 0.1)
    assert neg.grad is not None
    expected = [0.5 * high / (high + low), 0.5 * low / (high + low), 0.0]
    assert neg.grad[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("options", [{"margin": 0.0}, {"slope": -1.0}, {"pushed": 1.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must"):
        RankedList(**options)

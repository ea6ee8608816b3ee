import math

import pytest
import torch

from recsys.learning.losses.bsl import BSL
from recsys.learning.losses.psl import PSL
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene

ACTIVATIONS = {
    "relu": lambda d: max(0.0, d + 1),
    "tanh": lambda d: math.tanh(d) + 1,
    "arctan": lambda d: math.atan(d) + 1,
}


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_the_paper_in_loops(activation: str, temperature: float) -> None:
    def yang(pos: float, negatives: list[float]) -> float:
        surrogates = [ACTIVATIONS[activation]((neg - pos) / 2) for neg in negatives]
        return math.log(sum(surrogate ** (1 / temperature) for surrogate in surrogates))

    pairs = scene(seed=38).pairs()
    ours = mean(PSL(temperature, activation)(pairs)).value().item()  # type: ignore[arg-type]
    assert ours == pytest.approx(oracles.over_rows(pairs, yang), abs=1e-10)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_it_lies_between_the_step_and_the_exponential(activation: str) -> None:
    """Equation 9: [d >= 0] <= s(d) <= e^d, so that it bounds the rank tighter than the softmax loss does."""
    d = torch.linspace(-1, 1, 201, dtype=torch.float64)
    pairs = Pairs(-d, d[:, None], torch.ones(201, 1, dtype=torch.bool))
    value = PSL(1.0, activation)(pairs).values.exp()  # type: ignore[arg-type]
    assert (value >= (d >= 0).double() - 1e-6).all()
    assert (value <= d.exp() + 1e-6).all()


def test_near_zero_it_is_the_softmax_loss() -> None:
    """1 + d is e^d to first order; the half in d halves the temperature."""
    rng = torch.Generator().manual_seed(0)
    near = torch.randn(4, 3, generator=rng, dtype=torch.float64) * 1e-4
    pairs = Pairs(near[:, 0], near[:, 1:], torch.ones(4, 2, dtype=torch.bool))
    softmax = BSL(0.2, 1.0)(pairs).values + math.log(2)
    torch.testing.assert_close(PSL(0.1)(pairs).values, softmax, atol=1e-6, rtol=0)


def test_invalid_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"temperature is 0; it must be positive"):
        PSL(0)
    with pytest.raises(ValueError, match=r"activation is 'exp'; it must be relu, tanh or arctan"):
        PSL(activation="exp")  # type: ignore[arg-type]

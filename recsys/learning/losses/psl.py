"""The pairwise softmax loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from recsys.learning.losses.masked import log_sum_exp_of_used
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class PSL:
    """A softmax whose exponential is replaced by a function that false negatives cannot dominate.

    ``log(sum over the used negatives of s(d) ** (1/t))`` with ``d = (neg - pos) / 2`` in [-1, 1] and
    ``s(d) = 1 + d`` (relu), ``1 + tanh(d)`` or ``1 + arctan(d)``: all of them between the step at 0, which
    counts wrong orders, and the exponential.

    Args:
        temperature: t; positive.
        activation: s.

    Returns:
        Terms (B,), of any sign.

    Raises:
        ValueError: If temperature is not positive, or there is no such activation.

    Source: Yang et al. 2024, PSL: Rethinking and Improving Softmax Loss from Pairwise Perspective for
    Recommendation, equation 8 and table 1, with half the cosine as its score.

    Example:
        >>> pairs = Pairs(torch.tensor([0.4]), torch.tensor([[0.4, 0.4]]), torch.ones(1, 2, dtype=torch.bool))
        >>> PSL()(pairs).values  # log 2
        tensor([0.6931])
    """

    temperature: float = 0.1
    activation: Literal["relu", "tanh", "arctan"] = "relu"

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be positive")
        if self.activation not in ("relu", "tanh", "arctan"):
            raise ValueError(f"activation is {self.activation!r}; it must be relu, tanh or arctan")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        surrogate = self._activate((pairs.neg - pairs.pos[:, None]) / 2)  # (B, N)
        # Rounding may leave the range slightly; the logarithm must not be that of 0.
        logits = surrogate.clamp(min=1e-7).log() / self.temperature
        return Terms(log_sum_exp_of_used(logits, pairs.mask), pairs.mask.any(1))

    def _activate(self, difference: Tensor) -> Tensor:
        match self.activation:
            case "relu":
                return torch.relu(1 + difference)
            case "tanh":
                return 1 + torch.tanh(difference)
            case "arctan":
                return 1 + torch.arctan(difference)

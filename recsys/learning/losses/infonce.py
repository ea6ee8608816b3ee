"""Sampled softmax."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.losses.rows import cross_entropy
from recsys.learning.pairs import Pairs, Slopes, Terms


@dataclass(frozen=True)
class Infonce:
    """Tell the positive from all candidates at once: the cross entropy of a softmax over them.

    ``-log(e^(pos/t) / (e^(pos/t) + sum over the used negatives of e^(neg/t - log(N q))))``. With the
    correction by log_q, for any sampler, the sum estimates that over the whole catalogue without bias;
    without it every candidate counts the same, as in InfoNCE.

    Args:
        temperature: t, in units of the distance's score; positive.
        correct: Whether to correct for the sampling probabilities, where the sampler knows them.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If temperature is not positive.

    Source: Bengio and Senecal 2008, Adaptive Importance Sampling, and Yi et al. 2019, Sampling-Bias-Corrected
    Neural Modeling, equation 4, where the positive, which was not sampled, is not corrected; without it van
    den Oord et al. 2018, Representation Learning with Contrastive Predictive Coding, equation 4.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.2]), torch.tensor([[0.2, 0.2]]), torch.ones(1, 2, dtype=torch.bool))
        >>> Infonce()(pairs).values  # log 3
        tensor([1.0986])
    """

    temperature: float = 0.2
    correct: bool = True

    needs_cross: ClassVar[bool] = False
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        logits = pairs.neg / self.temperature  # (B, N)
        if self.correct and pairs.log_q is not None:
            logits = logits - (pairs.log_q + math.log(pairs.neg.shape[1]))
        return Terms(cross_entropy(pairs.pos / self.temperature, logits, pairs.mask), pairs.mask.any(1))

    def slopes(self, pos: Tensor, gap: Tensor, used: Tensor, log_q: Tensor | None) -> Slopes | None:
        """The softmax's probabilities over the temperature; see ``Sloped``."""
        logits = gap.div_(self.temperature)  # (B, N), relative to the positive's
        if self.correct and log_q is not None:
            logits.sub_((log_q + math.log(gap.shape[1])).to(gap.dtype))
        top = logits.amax(1).clamp_(min=0)  # (B,), so that no exponential overflows
        odds = logits.sub_(top[:, None]).exp_()
        against = odds.sum(1).to(pos.dtype)  # (B,)
        some = (used > 0).to(pos.dtype)
        weight = some / (self.temperature * (torch.exp(-top.to(pos.dtype)) + against))
        return Slopes(-against * weight, odds, weight, some.sum())

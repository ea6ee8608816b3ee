"""Sampled softmax."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.losses.loss import in_force
from recsys.learning.losses.masked import cross_entropy, softmax_slopes
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class InfoNCE:
    """Tell the positive from all candidates at once: the cross entropy of a softmax over them.

    ``-log(e^(pos/t) / (e^(pos/t) + sum over the used negatives of e^(neg/t - log(N q))))``. With the
    correction by log_q, for any sampler, the sum estimates that over the whole catalogue without bias;
    without it every candidate counts the same, as in InfoNCE.

    Args:
        temperature: t, in units of the distance's score; positive. None: chosen on the validation set, 0.2
            without one.
        correct: Whether to correct for the sampling probabilities, if the sampler knows them.

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
        >>> InfoNCE()(pairs).values  # log 3
        tensor([1.0986])
    """

    temperature: float | None = None
    correct: bool = True

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False
    tries: ClassVar[Mapping[str, tuple[float, ...]]] = {"temperature": (0.5, 0.3, 0.2, 0.12, 0.08)}

    def __post_init__(self) -> None:
        if not self.t > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be positive")

    @property
    def t(self) -> float:
        """The temperature in force."""
        return in_force(self, "temperature")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        logits = pairs.neg / self.t  # (B, N)
        if self.correct and pairs.log_q is not None:
            logits = logits - (pairs.log_q + math.log(pairs.neg.shape[1]))
        return Terms(cross_entropy(pairs.pos / self.t, logits, pairs.mask), pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """The softmax's probabilities over the temperature; see ``Sloped``."""
        columns = None
        if self.correct and scores.log_q is not None:
            columns = -scores.log_q - math.log(len(scores.log_q))
        return softmax_slopes(scores, 1 / self.t, columns=columns)

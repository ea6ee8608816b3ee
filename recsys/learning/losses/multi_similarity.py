"""The multi-similarity loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch.nn.functional import softplus

from recsys.learning.losses.masked import log_sum_exp_of_used
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class MultiSimilarity:
    """Positives and negatives weighed by their own score and by the others of the row.

    ``log(1 + e^(-alpha (pos - base))) / alpha + log(1 + sum of e^(beta (neg - base))) / beta``, the sum over
    the used negatives.

    Args:
        alpha: Slope for positives; positive.
        beta: Slope for negatives; positive.
        base: Score that separates the two, in units of the distance's score.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If a slope is not positive.

    Source: Wang et al. 2019, Multi-Similarity Loss with General Pair Weighting, equation 15, where the
    positives of an anchor are the row's one; its choice of pairs is the miner ``relative``.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.5, 0.5]]), torch.ones(1, 2, dtype=torch.bool))
        >>> MultiSimilarity(alpha=1.0, beta=1.0)(pairs).values  # log 2 + log 3
        tensor([1.7918])
    """

    alpha: float = 2.0
    beta: float = 10.0
    base: float = 0.5

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"alpha is {self.alpha}; it must be positive")
        if not self.beta > 0:
            raise ValueError(f"beta is {self.beta}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        near = softplus(-self.alpha * (pairs.pos - self.base)) / self.alpha  # (B,)
        against = log_sum_exp_of_used(self.beta * (pairs.neg - self.base), pairs.mask)
        return Terms(near + softplus(against) / self.beta, pairs.mask.any(1))

"""Collaborative metric learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.losses.masked import highest_of_used, mean_of_used
from recsys.learning.losses.rank import estimated_rank
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class CML:
    """The hinge of the triplet, weighted by how far down its list the positive is.

    ``log(1 + rank) * max(0, margin + neg - pos)`` with the hardest used negative, or the mean over all.
    The rank is estimated from the share of candidates inside the margin: ``I * M / N`` for uniform ones.

    Args:
        margin: In units of the distance's score; positive.
        hardest: Whether only the hardest used negative of a row counts, or the mean of all.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin is not positive.

    Source: Hsieh et al. 2017, Collaborative Metric Learning, equations 1 and 2, for the score
    ``squared_euclidean``, with the vectors in the unit ball. Its sum over negatives is ours with a mean;
    ``hardest`` is how its authors train it.

    Example:
        >>> pairs = Pairs(torch.tensor([-0.1]), torch.tensor([[-0.3, -2.0]]), torch.ones(1, 2).bool())
        >>> CML(margin=0.5, hardest=True)(pairs).values  # log(1 + 1) * (0.5 - 0.3 + 0.1)
        tensor([0.2079])
    """

    margin: float = 0.5
    hardest: bool = False

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        gap = torch.relu(pairs.neg + (self.margin - pairs.pos)[:, None])  # (B, N)
        weight = torch.log1p(estimated_rank((gap > 0) & pairs.mask, pairs))  # (B,)
        pool = highest_of_used if self.hardest else mean_of_used
        return Terms(weight * pool(gap, pairs.mask), pairs.mask.any(1))

"""Weighted approximate-rank pairwise loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.losses.masked import mean_of_used
from recsys.learning.losses.rank import estimated_rank
from recsys.learning.pairs import Pairs, Terms

EULER = 0.5772156649015329


@dataclass(frozen=True)
class WARP:
    """The hinge over the violators of the margin, weighted for precision at the top of the list.

    ``L(rank) * mean over the violators of (margin + neg - pos)`` with ``L(k) = 1 + 1/2 + ... + 1/k``; a
    violator is a used negative with ``neg + margin > pos``.

    Args:
        margin: In units of the distance's score; positive. 1 in the source, whose scores are products.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin is not positive.

    Source: Weston et al. 2011, WSABIE: Scaling Up To Large Vocabulary Image Annotation, equations 3 to 5.
    There one violator is drawn by trying candidates in turn, and the number of trials estimates the rank;
    here all candidates are tried, which is the mean of that draw with a rank of less variance. The mean
    can fall where one more candidate becomes a violator, and rise where one is solved, as in equation 5.

    Example:
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.5, 0.1, -2.0]]), torch.ones(1, 3).bool())
        >>> WARP(margin=1.0)(pairs).values  # (1 + 1/2) * (1 + 0.6) / 2
        tensor([1.2000])
    """

    margin: float = 0.2

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False
    exempt: ClassVar[Mapping[str, str]] = {
        "monotone": "the mean over violators can fall when one more candidate becomes a violator"
    }

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        gap = pairs.neg + (self.margin - pairs.pos)[:, None]  # (B, N)
        violators = (gap > 0) & pairs.mask
        weight = _harmonic(estimated_rank(violators, pairs))  # (B,)
        return Terms(weight * mean_of_used(gap, violators), pairs.mask.any(1))


def _harmonic(rank: Tensor) -> Tensor:
    """``1 + 1/2 + ... + 1/rank``, between whole numbers by its smooth continuation."""
    return torch.digamma(rank + 1) + EULER

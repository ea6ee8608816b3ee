"""Neighbourhood components analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.functional import softplus

from recsys.learning.losses.masked import log_sum_exp_of_used, softmax_slopes
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class NCA:
    """The probability that a neighbour drawn at random by its nearness is the positive.

    ``-log p`` with ``p = e^(scale pos) / (e^(scale pos) + sum of e^(scale neg))`` over the used negatives, or
    ``1 - p``, the expected share of mistakes.

    Args:
        scale: Of the scores; positive.
        log: The logarithm, whose gradient does not vanish if p is small, or the share of mistakes.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If scale is not positive.

    Source: Goldberger et al. 2004, Neighbourhood Components Analysis, equations 1, 3 (``1 - p``) and 7 (the
    logarithm), for the score ``squared_euclidean`` of mapped points, with one positive per row.

    Example:
        >>> pairs = Pairs(torch.tensor([-1.0]), torch.tensor([[-1.0, -1.0]]), torch.ones(1, 2).bool())
        >>> NCA()(pairs).values, NCA(log=False)(pairs).values  # log 3, 2/3
        (tensor([1.0986]), tensor([0.6667]))
    """

    scale: float = 5.0
    log: bool = True

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale is {self.scale}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        odds = log_sum_exp_of_used(self.scale * pairs.neg, pairs.mask) - self.scale * pairs.pos  # (B,)
        return Terms(softplus(odds) if self.log else torch.sigmoid(odds), pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """Those of ``infonce`` for the logarithm; see ``Sloped``."""
        return softmax_slopes(scores, self.scale) if self.log else None

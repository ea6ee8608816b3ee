"""The pairwise hinge of ranking machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class Hinge:
    """A positive should outscore each negative by 1; the hinge of a ranking support vector machine.

    ``max(0, 1 + neg - pos)``, or its square. The margin is fixed at 1 because the vectors are free to choose
    the scale of the scores; for scores of a fixed scale (cosine) see ``triplet``.

    By default each positive pulls with a force below 1, however many candidates outscore it (``balance`` of
    ``two_tower``); ``--set model.balance=false`` turns that off.

    Args:
        squared: The square of the hinge, which is smooth.

    Returns:
        Terms (B, N).

    Source: Herbrich et al. 1999, Support Vector Learning for Ordinal Regression, and Joachims 2002,
    Optimizing Search Engines using Clickthrough Data, problem 1 with its slack made a loss.

    Example:
        >>> pairs = Pairs(torch.tensor([1.5]), torch.tensor([[2.5, 0.0]]), torch.ones(1, 2, dtype=torch.bool))
        >>> Hinge()(pairs).values
        tensor([[2., 0.]])
    """

    squared: bool = False

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        gap = torch.relu(pairs.neg + (1.0 - pairs.pos)[:, None])  # (B, N)
        return Terms(gap.square() if self.squared else gap, pairs.mask)

"""The triplet loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class Triplet:
    """A negative must be farther than the positive by a margin.

    ``max(0, margin + neg - pos)`` for every used pair.

    Args:
        margin: In units of the distance's score; positive.

    Returns:
        Terms (B, N).

    Raises:
        ValueError: If margin is not positive.

    Source: Schroff et al. 2015, FaceNet, equation 2, with scores in place of squared distances.

    Example:
        >>> pairs = Pairs(torch.tensor([0.9]), torch.tensor([[0.8, 0.1]]), torch.ones(1, 2, dtype=torch.bool))
        >>> Triplet(margin=0.2)(pairs).values
        tensor([[0.1000, 0.0000]])
    """

    margin: float = 0.2

    needs_cross: ClassVar[bool] = False
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        return Terms(torch.relu(pairs.neg + (self.margin - pairs.pos)[:, None]), pairs.mask)

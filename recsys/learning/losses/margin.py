"""The margin loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from recsys.learning.pairs import Pairs, Terms


@dataclass(eq=False)
class Margin(nn.Module):
    """Positives above a boundary and negatives below it, each by a margin.

    ``max(0, margin + b - pos) + max(0, margin + neg - b)`` for every used pair.

    Args:
        margin: In units of the distance's score; positive.
        start: Where the boundary b is at first, in units of the distance's score.
        learned: Whether the boundary has a gradient. ``two_tower`` optimises vectors only, so that there it
            stays at ``start``; learning it, as the paper does, takes an optimiser of the caller's.

    Returns:
        Terms (B, N).

    Raises:
        ValueError: If margin is not positive.

    Source: Wu et al. 2017, Sampling Matters in Deep Embedding Learning, equation 6, with scores in place of
    minus the distances (b = -beta); one boundary for all, without those of classes and samples. Its mean over
    the active pairs is the reducer, its sampling the miner ``distance_weighted``.

    Example:
        >>> pairs = Pairs(torch.tensor([0.6]), torch.tensor([[0.55, 0.1]]), torch.ones(1, 2).bool())
        >>> Margin(margin=0.2, start=0.5)(pairs).values.detach()
        tensor([[0.3500, 0.1000]])
    """

    margin: float = 0.3
    start: float = 0.3
    learned: bool = True

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")
        super().__init__()
        self.boundary = nn.Parameter(torch.tensor(self.start), requires_grad=self.learned)

    def forward(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        near = torch.relu(self.margin + self.boundary - pairs.pos)  # (B,)
        far = torch.relu(pairs.neg + (self.margin - self.boundary))  # (B, N)
        return Terms(near[:, None] + far, pairs.mask)

"""Negatives that come near their positive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class Relative:
    """Negatives that score above their positive less a margin: all that are not clearly beaten.

    ``neg > pos - margin``.

    Args:
        margin: In units of the distance's score; not negative.

    Raises:
        ValueError: If margin is negative.

    Source: Wang et al. 2019, Multi-Similarity Loss with General Pair Weighting, equation 12, with one
    positive per row.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.45, 0.9]]), torch.ones(1, 3).bool())
        >>> Relative()(pairs, Moment(0.0, torch.Generator()))
        tensor([[False,  True,  True]])
    """

    margin: float = 0.1

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not self.margin >= 0:
            raise ValueError(f"margin is {self.margin}; it must not be negative")

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        return pairs.mask & (pairs.neg.detach() > (pairs.pos.detach() - self.margin)[:, None])

"""The k hardest negatives of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class HardestK:
    """The k used negatives that score highest, of each row; all where there are fewer.

    With candidates from ``uniform`` and k = 1 this is dynamic negative sampling with a pool of N.

    Args:
        k: At least 1.

    Raises:
        ValueError: If k is below 1.

    Source: Zhang et al. 2013, Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling,
    section 4 (its sampler picks the highest of a pool drawn evenly).

    Example:
        >>> used = torch.tensor([[True, True, True, False]])
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.4, 0.3, 0.9]]), used)
        >>> HardestK(k=2)(pairs, Moment(0.0, torch.Generator()))
        tensor([[False,  True,  True, False]])
    """

    k: int = 10

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is {self.k}; it must be at least 1")

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        if self.k >= pairs.neg.shape[1]:
            return pairs.mask
        scores = pairs.neg.detach().masked_fill(~pairs.mask, float("-inf"))
        best = scores.topk(self.k, dim=1).indices  # (B, k)
        return torch.zeros_like(pairs.mask).scatter_(1, best, True) & pairs.mask

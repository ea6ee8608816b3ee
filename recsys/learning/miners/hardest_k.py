"""The k hardest negatives of a pool, for each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.miners.pool import check_pool, pooled
from recsys.learning.pairs import Pairs, Scores


@dataclass(frozen=True)
class HardestK:
    """Of ``k * pool`` used negatives drawn for each row, the k that score highest; all if there are fewer.

    With k = 1 this is dynamic negative sampling.

    Args:
        k: At least 1.
        pool: How many are drawn for each that is kept, at least 1; None takes all, which is for small
            ``candidates`` (see ``pool.py``).

    Raises:
        ValueError: If k or pool is below 1.

    Source: Zhang et al. 2013, Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling,
    section 4 (its sampler picks the highest of a pool drawn uniformly).

    Example:
        >>> used = torch.tensor([[True, True, True, False]])
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.4, 0.3, 0.9]]), used)
        >>> HardestK(k=2)(pairs, Moment(0.0, torch.Generator()))
        tensor([[False,  True,  True, False]])
    """

    k: int = 10
    pool: int | None = 8

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is {self.k}; it must be at least 1")
        check_pool(self.pool)

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        if self.k >= pairs.neg.shape[1]:
            return pairs.mask
        size = None if self.pool is None else self.k * self.pool
        columns, used = pooled(pairs.mask, size, moment.rng)  # (B, P)
        scores = pairs.neg.detach().gather(1, columns).masked_fill(~used, float("-inf"))
        best = columns.gather(1, scores.topk(self.k, dim=1).indices)  # (B, k)
        return torch.zeros_like(pairs.mask).scatter_(1, best, True) & pairs.mask

    def narrow(self, scores: Scores) -> Scores | None:
        """The k highest of each row, without a pool; see ``Narrowing``."""
        if self.pool is not None:
            return None

        def negatives(
            scale: float = 1.0, rows: Tensor | None = None, columns: Tensor | None = None
        ) -> Tensor:
            made = scores.negatives(scale, rows, columns)  # (B, N)
            if self.k >= made.shape[1]:
                return made
            order = made if columns is None else made - columns  # scale and rows do not change it
            best = order.topk(self.k, dim=1, sorted=False).indices  # (B, k)
            kept = made.gather(1, best)
            return made.fill_(float("-inf")).scatter_(1, best, kept)

        def used() -> Tensor:
            return scores.used().clamp(max=self.k)

        return replace(scores, negatives=negatives, used=used, total=lambda: used().sum())

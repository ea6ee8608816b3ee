"""The hardest negative of a pool, for each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.miners.pool import check_pool, pooled
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class Hardest:
    """Of a few used negatives drawn for each row, the one that scores highest; any of equal ones.

    Args:
        pool: How many are drawn, at least 1; None takes all, which is for small ``candidates``: the hardest
            of thousands pulls all vectors to one point (see ``pool.py``).

    Raises:
        ValueError: If pool is below 1.

    Source: Hermans et al. 2017, In Defense of the Triplet Loss for Person Re-Identification, equation 5
    (batch hard), where the positive is the row's own; its batches hold 68 negatives per row. The pool: Zhang
    et al. 2013, Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling, section 4.

    Example:
        >>> used = torch.tensor([[True, True, False]])
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.4, 0.9]]), used)
        >>> Hardest()(pairs, Moment(0.0, torch.Generator()))
        tensor([[False,  True, False]])
    """

    pool: int | None = 8

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        check_pool(self.pool)

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        columns, used = pooled(pairs.mask, self.pool, moment.rng)  # (B, P)
        scores = pairs.neg.detach().gather(1, columns).masked_fill(~used, float("-inf"))
        best = columns.gather(1, scores.argmax(1, keepdim=True))  # (B, 1)
        # In a row without a used negative argmax finds an unused one, which the mask removes.
        return torch.zeros_like(pairs.mask).scatter_(1, best, True) & pairs.mask

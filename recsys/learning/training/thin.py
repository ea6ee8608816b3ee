"""A part of each long history, drawn anew for each batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from recsys.learning.training.interactions import Log

# Steps of this size, modulo 1, fill the interval evenly however many are taken.
GOLDEN: Final = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Thin:
    """A systematic sample of histories: every so many-th item, from a random start.

    Of a history of length l, ``min(l, most)`` different items are taken, each with the same chance. Rows of
    one user in a batch have the same sample, so that the user's vector is still made once.

    Args:
        most: Items of a history, at most.
        start: (U,) in [0, 1), the start of each user.

    Source: Cochran 1977, Sampling Techniques, section 8.1.
    """

    most: int
    start: Tensor

    def moved(self, batch: int) -> Thin:
        """The sample of another batch of the epoch."""
        return Thin(self.most, (self.start + batch * GOLDEN) % 1)

    def lengths(self, log: Log, codes: Tensor) -> Tensor:
        """Users (n,) -> how many of their items are taken (n,)."""
        return log.lengths(codes).clamp(max=self.most)

    def rows(
        self, log: Log, codes: Tensor, total: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rows of the log that are taken, as ``Log.rows``, and for how many of its kind each speaks (T,)."""
        first, whole = log.starts.index_select(0, codes), log.lengths(codes)
        lengths = whole.clamp(max=self.most)
        owner = torch.repeat_interleave(lengths, output_size=total)  # (T,)
        before = (lengths.cumsum(0) - lengths).index_select(0, owner)
        rank = torch.arange(len(owner), device=owner.device) - before
        share = (whole.double() / lengths.clamp(min=1)).index_select(0, owner)  # (T,), at least 1
        start = self.start.double().index_select(0, codes).index_select(0, owner)
        place = ((rank + start) * share).long()  # neighbours are at least 1 apart, so no item is taken twice
        return first.index_select(0, owner) + place, owner, lengths, share.float()

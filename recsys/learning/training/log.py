"""The training interactions as tensors on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsys.columns import ITEM, USER
from recsys.data.tables import Interactions
from recsys.learning.towers.tower import Users


@dataclass(frozen=True, slots=True)
class Log:
    """R interactions sorted by user, so that what a user chose is a slice.

    Args:
        users: (R,) user codes, rising.
        items: (R,) item codes.
        starts: (U + 1,) user u has rows ``starts[u]:starts[u + 1]``.
        catalogue: Number of items I.
    """

    users: Tensor
    items: Tensor
    starts: Tensor
    catalogue: int

    @classmethod
    def of(cls, train: Interactions, device: torch.device) -> Log:
        """Move interactions to a device."""
        users = train.frame[USER].to_numpy().astype(np.int64)
        starts = np.searchsorted(users, np.arange(len(train.users) + 1))
        items = train.frame[ITEM].to_numpy().astype(np.int64)
        columns = [torch.from_numpy(array).to(device) for array in (users, items, starts)]
        return cls(columns[0], columns[1], columns[2], len(train.items))

    def __len__(self) -> int:
        return len(self.users)

    @property
    def popularity(self) -> Tensor:
        """(I,) number of rows of each item."""
        return torch.zeros(self.catalogue, dtype=torch.int64, device=self.items.device).index_add_(
            0, self.items, torch.ones_like(self.items)
        )

    def lengths(self, codes: Tensor) -> Tensor:
        """Users (n,) -> number of their rows (n,)."""
        return self.starts[codes + 1] - self.starts[codes]

    def take(self, codes: Tensor, total: int | None = None) -> Users:
        """Users (n,) with their histories; ``total``, the sum of lengths, saves asking the device."""
        lengths = self.lengths(codes)
        owner = torch.repeat_interleave(lengths, output_size=total)  # (T,)
        ends = lengths.cumsum(0)
        shift = self.starts[codes] - (ends - lengths)  # (n,)
        rows = torch.arange(len(owner), device=owner.device) + shift[owner]  # (T,)
        return Users(codes, self.items[rows], owner, lengths)


def unknown(users: Users, candidates: Tensor, catalogue: int) -> Tensor:
    """Which candidates (N,) are negatives of which users: (n, N), False where the user chose the item.

    A candidate that stands twice is used once. Every item of every history is looked up in a table of
    columns, so the cost is one pass over the histories, not one over users times candidates.
    """
    n, width = len(users.codes), len(candidates)
    nowhere = n * width
    order = torch.arange(width, device=candidates.device)
    columns = torch.full((catalogue,), nowhere, device=candidates.device).index_copy_(0, candidates, order)
    mask = torch.ones(nowhere + 1, dtype=torch.bool, device=candidates.device)
    places = (users.owner * width).add_(columns.index_select(0, users.items)).clamp_(max=nowhere)  # (T,)
    mask.index_fill_(0, places, False)
    grid = mask[:nowhere].view(n, width)
    return grid.logical_and_(columns.index_select(0, candidates) == order)

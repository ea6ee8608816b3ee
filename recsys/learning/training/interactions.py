"""The training interactions as tensors on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from recsys.columns import ITEM, TIME, USER
from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.learning.towers.tower import Histories, Users

# In the unit of times, microseconds.
DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class InteractionTensors:
    """R interactions sorted by user, so that the history of a user is a slice.

    Args:
        users: (R,) user codes, ascending.
        items: (R,) item codes.
        starts: (U + 1,) user u has rows ``starts[u]:starts[u + 1]``.
        catalogue: Number of items I.
        ages: (R,) days between each row and the newest of the same user, if they are read.
        disliked: Dislikes of the same users; None if the log holds none.
    """

    users: Tensor
    items: Tensor
    starts: Tensor
    catalogue: int
    ages: Tensor | None = None
    disliked: InteractionTensors | None = None

    @classmethod
    def of(cls, train: Interactions, device: torch.device, *, ages: bool = False) -> InteractionTensors:
        """Move interactions to a device, with their ages if these are needed.

        Raises:
            InputError: If ages are needed and times are missing.
        """
        users = train.frame[USER].to_numpy().astype(np.int64)
        starts = np.searchsorted(users, np.arange(len(train.users) + 1))
        items = train.frame[ITEM].to_numpy().astype(np.int64)
        columns = [torch.from_numpy(array).to(device) for array in (users, items, starts)]
        since = torch.from_numpy(_ages(train)).to(device) if ages else None
        disliked = None if train.disliked is None else cls.of(train.disliked, device)
        return cls(columns[0], columns[1], columns[2], len(train.items), since, disliked)

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
        return self.starts.index_select(0, codes + 1) - self.starts.index_select(0, codes)

    def rows(self, codes: Tensor, total: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """All rows of users (n,), concatenated, and their owners.

        Args:
            codes: The users.
            total: The sum of their lengths, which saves reading it from the device.

        Returns:
            Rows of the log (T,), the place 0..n-1 of the user of each (T,), and lengths (n,), all int32, half
            the memory traffic: after its pairs, T is the largest number of a step.
        """
        first = self.starts.index_select(0, codes)
        lengths = (self.starts.index_select(0, codes + 1) - first).int()
        owner = torch.repeat_interleave(lengths, output_size=total)  # (T,)
        shift = first.int() - (lengths.cumsum(0, dtype=torch.int32) - lengths)  # (n,)
        order = torch.arange(len(owner), dtype=torch.int32, device=owner.device)
        return shift.index_select(0, owner).add_(order), owner, lengths

    def one_of_each(self, codes: Tensor, rng: torch.Generator) -> Tensor:
        """A random item (n,) of each of users (n,), with replacement; item 0 for a user without rows."""
        lengths = self.lengths(codes)
        uniform = torch.rand(len(codes), generator=rng, dtype=torch.float64, device=codes.device)
        place = self.starts.index_select(0, codes) + (uniform * lengths).long()
        items = self.items.index_select(0, place.clamp(max=len(self) - 1))
        return items.masked_fill(lengths == 0, 0)

    def take(self, codes: Tensor, total: int | None = None, thin: Thin | None = None) -> Users:
        """Users (n,), whose histories are read on demand; see ``rows`` and ``Thin``."""

        def take() -> Histories:
            if thin is None:
                rows, owner, lengths = self.rows(codes, total)
                share = None
            else:
                rows, owner, lengths, share = thin.rows(self, codes, total)
            ages = None if self.ages is None else self.ages.index_select(0, rows)
            items = self.items.index_select(0, rows)
            return Histories(codes, items, owner.long(), lengths.long(), ages, share)

        return Users(codes, take)


def _ages(train: Interactions) -> npt.NDArray[np.float32]:
    """Days (R,) between each row and the newest of the same user."""
    times = pl.col(TIME)
    if train.frame[TIME].null_count():
        raise InputError(
            "a half-life in days needs the time of every interaction, and this log lacks some; "
            "leave days out, or decay by position"
        )
    days = train.frame.select((times.max().over(USER) - times) / DAY)[TIME]
    return days.to_numpy().astype(np.float32)


# Steps of this size, modulo 1, fill the interval evenly however many are taken.
GOLDEN: Final = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Thin:
    """A systematic sample of histories: every n-th item, from a random start.

    Of a history of length l, ``min(l, most)`` different items are taken, each with the same probability. Rows
    of one user in a batch have the same sample, so that the user's vector is still made once.

    Args:
        most: Items per history, at most.
        start: (U,) in [0, 1), the start of each user.

    Source: Cochran 1977, Sampling Techniques, section 8.1.
    """

    most: int
    start: Tensor

    def moved(self, batch: int) -> Thin:
        """The sample of another batch of the epoch."""
        return Thin(self.most, (self.start + batch * GOLDEN) % 1)

    def lengths(self, log: InteractionTensors, codes: Tensor) -> Tensor:
        """Users (n,) -> how many of their items are taken (n,)."""
        return log.lengths(codes).clamp(max=self.most)

    def rows(
        self, log: InteractionTensors, codes: Tensor, total: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rows that are taken, as ``InteractionTensors.rows``, and how many rows each represents (T,)."""
        first, whole = log.starts.index_select(0, codes), log.lengths(codes)
        lengths = whole.clamp(max=self.most)
        owner = torch.repeat_interleave(lengths, output_size=total)  # (T,)
        before = (lengths.cumsum(0) - lengths).index_select(0, owner)
        rank = torch.arange(len(owner), device=owner.device) - before
        share = (whole.double() / lengths.clamp(min=1)).index_select(0, owner)  # (T,), at least 1
        start = self.start.double().index_select(0, codes).index_select(0, owner)
        place = ((rank + start) * share).long()  # neighbours are at least 1 apart, so no item is taken twice
        return first.index_select(0, owner) + place, owner, lengths, share.float()

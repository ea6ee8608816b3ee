"""Which candidates a user is known to have chosen: they are no negatives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.learning.towers.tower import Users


@dataclass(frozen=True, slots=True)
class Known:
    """Known positives among B users times N candidates, as places in the matrix laid flat.

    Made by one pass over the histories of the batch, not over users times candidates, and without asking the
    device how many there are: what is no candidate is sent to one place behind the end.

    Args:
        places: (T,) ``row * N + column`` of each item of each history, ``B * N`` where it is no candidate.
        twice: (N,) bool, candidates that stand again later; only the last is used.
        users: The users.
    """

    places: Tensor
    twice: Tensor
    users: Users

    @classmethod
    def of(cls, users: Users, candidates: Tensor, catalogue: int) -> Known:
        """Look every item of every history up among the candidates (N,)."""
        n, width = len(users.codes), len(candidates)
        order = torch.arange(width, device=candidates.device)
        columns = torch.full((catalogue,), n * width, device=candidates.device)
        columns.index_copy_(0, candidates, order)
        places = (users.owner * width).add_(columns.index_select(0, users.items)).clamp_(max=n * width)
        return cls(places, columns.index_select(0, candidates) != order, users)

    @property
    def shape(self) -> tuple[int, int]:
        """B and N."""
        return len(self.users.codes), len(self.twice)

    def mask(self, rows: slice) -> Tensor:
        """(b, N) bool for some rows, True where a candidate is not to be used."""
        width = self.shape[1]
        size = (rows.stop - rows.start) * width
        shifted = self.places - rows.start * width
        inside = torch.where(shifted < 0, size, shifted).clamp_(max=size)
        flat = torch.zeros(size + 1, dtype=torch.bool, device=self.places.device)
        return flat.index_fill_(0, inside, True)[:-1].view(-1, width) | self.twice

    def used(self) -> Tensor:
        """(B,) number of candidates of each row that are negatives."""
        n, width = self.shape
        hits = (self.places < n * width).cumsum(0)  # (T,)
        last = self.users.lengths.cumsum(0) - 1  # (B,)
        until = hits.index_select(0, last)
        return (~self.twice).sum() - until.diff(prepend=until.new_zeros(1))

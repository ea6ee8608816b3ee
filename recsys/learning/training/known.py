"""Which candidates are no negatives of a user: those the user chose, and what only others dislike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.learning.training.interactions import Log


@dataclass(frozen=True, slots=True)
class Known:
    """Known positives among B users times N candidates, as places in the matrix laid flat.

    Made by one pass over the histories of the batch, not over users times candidates, and without asking the
    device how many there are: what is no candidate is sent to one place behind the end.

    Args:
        places: (T,) ``row * N + column`` of each item of each history, ``B * N`` where it is no candidate.
        twice: (N,) bool, candidates that stand again later; only the last is used.
        lengths: (B,) how many of the places are of each row, in order.
        others: (B, E) bool, of the E explicit candidates, which are the last, those that a user does not
            dislike and those that stand again later; None where there are no explicit ones.
    """

    places: Tensor
    twice: Tensor
    lengths: Tensor
    others: Tensor | None = None

    @classmethod
    def of(
        cls, log: Log, users: Tensor, candidates: Tensor, total: int | None = None, explicit: int = 0
    ) -> Known:
        """Look every item that users (B,) chose up among the candidates (N,); for total see ``Log``.

        The last ``explicit`` candidates are looked up among what the users dislike, and only there.
        """
        shared = len(candidates) - explicit
        places, twice, lengths = _look_up(log, users, candidates[:shared], len(candidates), total)
        if not explicit or log.disliked is None:
            return cls(places, twice, lengths)
        disliked, _, _ = _look_up(log.disliked, users, candidates[shared:], explicit)
        others = torch.ones(len(users) * explicit + 1, dtype=torch.bool, device=places.device)
        others.index_fill_(0, disliked, False)
        twice = torch.cat([twice, twice.new_zeros(explicit)])
        return cls(places, twice, lengths, others[:-1].view(-1, explicit))

    @property
    def shape(self) -> tuple[int, int]:
        """B and N."""
        return len(self.lengths), len(self.twice)

    def mask(self, rows: slice) -> Tensor:
        """(b, N) bool for some rows, True where a candidate is not to be used."""
        width = self.shape[1]
        size = (rows.stop - rows.start) * width
        shifted = self.places - rows.start * width
        inside = torch.where(shifted < 0, size, shifted).clamp_(max=size)
        flat = torch.zeros(size + 1, dtype=torch.bool, device=self.places.device)
        unused = flat.index_fill_(0, inside, True)[:-1].view(-1, width) | self.twice
        if self.others is not None:
            unused[:, width - self.others.shape[1] :] = self.others[rows]
        return unused

    def used(self) -> Tensor:
        """(B,) number of candidates of each row that are negatives."""
        n, width = self.shape
        hits = (self.places < n * width).cumsum(0, dtype=torch.int32)  # (T,)
        until = hits.index_select(0, self.lengths.cumsum(0) - 1)  # (B,)
        used = (~self.twice).sum() - until.diff(prepend=until.new_zeros(1))
        return used if self.others is None else used - self.others.sum(1)

    def total(self) -> Tensor:
        """() number of negatives of all rows together."""
        n, width = self.shape
        total = n * (~self.twice).sum() - (self.places < n * width).sum()
        return total if self.others is None else total - self.others.sum()


def _look_up(
    log: Log, users: Tensor, candidates: Tensor, width: int, total: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Places (T,) of each item of each user among candidates (M,), as rows of ``width`` laid flat.

    Returns:
        Those; which candidates stand again later (M,); and how many of the places are of each user (B,).
    """
    end = len(users) * width
    kind = torch.int32 if 2 * end < 2**31 else torch.int64
    order = torch.arange(len(candidates), dtype=kind, device=candidates.device)
    columns = torch.full((log.catalogue,), end, dtype=kind, device=candidates.device)
    columns.index_copy_(0, candidates, order)
    rows, owner, lengths = log.rows(users, total)
    found = columns.index_select(0, log.items.index_select(0, rows))  # (T,)
    places = found.add_(owner.to(kind), alpha=width).clamp_(max=end).long()
    return places, columns.index_select(0, candidates) != order, lengths

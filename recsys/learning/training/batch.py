"""Inputs of a step: the batch, its known positives, the product of scores, the parts of the objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from recsys.learning.distances.distance import Distance
from recsys.learning.item_towers.item_tower import Items
from recsys.learning.losses.loss import Loss
from recsys.learning.miners.miner import Miner, Moment
from recsys.learning.reducers import Reducer
from recsys.learning.regularizers import Points
from recsys.learning.samplers.sampler import Candidates
from recsys.learning.towers.tower import Tower, Users
from recsys.learning.training.interactions import InteractionTensors


@dataclass(frozen=True, slots=True)
class Known:
    """Known positives among B users times N candidates, as places in the flattened matrix.

    Made by one pass over the histories of the batch, not over users times candidates, and without reading
    their number from the device: an item that is no candidate gets the place after the end.

    Args:
        places: (T,) ``row * N + column`` of each item of each history, ``B * N`` if it is no candidate.
        twice: (N,) bool, candidates that occur again later; only the last is used.
        lengths: (B,) the number of places of each row, in order.
        others: (B, E) bool, which of the E explicit candidates (the last ones) are no negatives of a user, as
            the user does not dislike them or they occur again later; None if there are no explicit ones.
    """

    places: Tensor
    twice: Tensor
    lengths: Tensor
    others: Tensor | None = None

    @classmethod
    def of(
        cls,
        log: InteractionTensors,
        users: Tensor,
        candidates: Tensor,
        total: int | None = None,
        explicit: int = 0,
    ) -> Known:
        """Look up every item that users (B,) chose among the candidates (N,).

        For ``total`` see ``InteractionTensors.rows``.

        The last ``explicit`` candidates are looked up among the dislikes of the users only.
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
        """(b, N) bool for some rows, True if a candidate is not to be used."""
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
    log: InteractionTensors, users: Tensor, candidates: Tensor, width: int, total: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Places (T,) of each item of each user among candidates (M,), in flattened rows of ``width``.

    Returns:
        Those; which candidates occur again later (M,); and the number of places of each user (B,).
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


@dataclass(slots=True)
class Scratch:
    """A flat buffer that grows to the largest request; fresh pages in each step would cost a fifth of it."""

    flat: Tensor | None = None

    def take(self, size: int, like: Tensor) -> Tensor:
        """``size`` uninitialised numbers, of the type and on the device of another tensor."""
        flat = self.flat
        if flat is None or len(flat) < size or (flat.dtype, flat.device) != (like.dtype, like.device):
            flat = self.flat = torch.empty(size, dtype=like.dtype, device=like.device)
        return flat[:size]


@dataclass(frozen=True, slots=True)
class Batch:
    """B observed interactions and the candidates they are compared with.

    Args:
        users: The users (B,) and their histories.
        items: (B,) the item each of them chose.
        candidates: N items and their log probability.
        known: The known positives among the candidates.
        moment: The progress of training.
        shown: Whether to report the loss: slopes in closed form do not need it, and save a pass without it.
        hardness: (I,) of all items, if the loss needs it; see ``Pairs``.
    """

    users: Users
    items: Tensor
    candidates: Candidates
    known: Known
    moment: Moment
    shown: bool = True
    hardness: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the objective.

    ``balance``: if each pair is a term of its own, a positive that many candidates outscore dominates the
    batch, whatever the step size. Its row is divided by one plus the sum of its slopes, a soft count of the
    candidates above it, so that every positive pulls with a force below one. The objective is then the mean
    over positives, whatever the reducer counts, so that penalties on the vectors weigh the same for ten
    candidates and for ten thousand.

    ``block``: rows per block of autograd, if the loss has no slopes in closed form.
    """

    tower: Tower
    items: Items
    distance: Distance
    miner: Miner
    loss: Loss
    reduce: Reducer
    regularize: Callable[[Points], Tensor] | None = None
    balance: bool = False
    bfloat16: bool = False
    block: int = 512
    scratch: Scratch = field(default_factory=Scratch)


@dataclass(frozen=True, slots=True)
class Product:
    """Inner products of B users with N candidates; see ``Negatives``.

    A shift of each row is an additional dimension, in which all candidates are 1; it is split into two, as a
    shift rounded to the eight bits of bfloat16 would be wrong for a whole row by the same amount.

    Args:
        users: (B, D).
        candidates: (N, D).
        kind: Type of the scores.
        batch: Which candidates are known, and whether one occurs twice.
        scratch: Buffer for the scores.
    """

    users: Tensor
    candidates: Tensor
    kind: torch.dtype
    batch: Batch
    scratch: Scratch

    def __call__(
        self, scale: float = 1.0, rows: Tensor | None = None, columns: Tensor | None = None
    ) -> Tensor:
        """``scale * neg + rows + columns``, -inf if the candidate is not used: (B, N)."""
        left, right = [self.users if scale == 1.0 else self.users * scale], [self.candidates]
        if rows is not None:
            left.append(self._split(rows))
            right.append(torch.ones_like(self.candidates[:, :2]))
        if columns is not None:
            left.append(torch.ones_like(self.users[:, :2]))
            right.append(self._split(columns))
        n, width = len(self.users), len(self.candidates)
        users, candidates = (torch.cat(parts, 1).to(self.kind) for parts in (left, right))
        flat = self.scratch.take(n * width + 1, users)
        scores = flat[:-1].view(n, width)
        torch.mm(users, candidates.T, out=scores)
        flat.index_fill_(0, self.batch.known.places, float("-inf"))
        if not self.batch.candidates.distinct:
            scores.masked_fill_(self.batch.known.twice, float("-inf"))
        if (others := self.batch.known.others) is not None:
            scores[:, width - others.shape[1] :].masked_fill_(others, float("-inf"))
        return scores

    def _split(self, shift: Tensor) -> Tensor:
        """(n,) -> (n, 2), rounded to the type of the scores, and the remainder."""
        high = shift.to(self.kind).to(shift.dtype)
        return torch.stack([high, shift - high], 1)

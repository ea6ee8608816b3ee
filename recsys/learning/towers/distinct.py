"""The distinct users of a batch: a user with many rows in it has one history."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.learning.towers.tower import Histories


def distinct(users: Histories, longest: int | None) -> tuple[Histories, Tensor]:
    """The distinct ones of users (n,) with their newest items, and the place of each row among them (n,).

    Example:
        >>> items, owner = torch.tensor([5, 6, 7, 8, 5, 6, 7]), torch.tensor([0, 0, 0, 1, 2, 2, 2])
        >>> users = Histories(torch.tensor([4, 2, 4]), items, owner, torch.tensor([3, 1, 3]))
        >>> some, rows = distinct(users, 2)
        >>> some.codes.tolist(), some.items.tolist(), some.lengths.tolist(), rows.tolist()
        ([2, 4], [8, 6, 7], [1, 2], [1, 0, 1])
    """
    codes, inverse = torch.unique(users.codes, return_inverse=True)
    order = torch.arange(len(inverse), device=inverse.device)
    row = torch.zeros_like(codes).scatter_reduce_(0, inverse, order, "amin", include_self=False)  # (k,)
    ends, lengths = users.lengths.cumsum(0).index_select(0, row), users.lengths.index_select(0, row)
    lengths = lengths if longest is None else lengths.clamp(max=longest)
    owner = torch.repeat_interleave(lengths)  # (T,)
    shift = ends - lengths.cumsum(0)
    taken = shift.index_select(0, owner) + torch.arange(len(owner), device=owner.device)
    ages = None if users.ages is None else users.ages.index_select(0, taken)
    share = None if users.share is None else users.share.index_select(0, taken)
    return Histories(codes, users.items.index_select(0, taken), owner, lengths, ages, share), inverse


def place_of(users: Histories, items: Tensor) -> Tensor:
    """The place in ``users.items`` of one item (n,) per history, -1 if the history does not hold it.

    Example:
        >>> owner = torch.tensor([0, 0, 1, 1])
        >>> users = Histories(torch.tensor([0, 1]), torch.tensor([5, 6, 5, 7]), owner, torch.tensor([2, 2]))
        >>> place_of(users, torch.tensor([6, 9])).tolist()
        [1, -1]
    """
    found = (users.items == items.index_select(0, users.owner)).nonzero().squeeze(1)
    place = torch.full_like(items, -1)
    return place.index_copy_(0, users.owner.index_select(0, found), found)

"""What a tower is: users in, vectors out, made from rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from torch import Tensor

from recsys.embeddings import FoldIn


@dataclass(frozen=True, slots=True)
class Histories:
    """What some users chose.

    Args:
        codes: (n,) the users.
        items: (T,) their item codes, laid end to end, the newest of each user last.
        owner: (T,) the row 0..n-1 that each of the items belongs to.
        lengths: (n,) how many items each has.
        ages: (T,) days between each of the interactions and the newest of the same user, where they are read.
        share: (T,) for how many items of the history each speaks, where these are a sample of it.
    """

    codes: Tensor
    items: Tensor
    owner: Tensor
    lengths: Tensor
    ages: Tensor | None = None
    share: Tensor | None = None


class Users:
    """Users and, where a tower asks for it, what they chose.

    Args:
        codes: (n,).
        take: Makes the histories, once.
    """

    def __init__(self, codes: Tensor, take: Callable[[], Histories]) -> None:
        self.codes = codes
        self._take = take

    @cached_property
    def histories(self) -> Histories:
        """Of all of them."""
        return self._take()


class Gather(Protocol):
    """Gather of named tables, gathered as leaves of the graph."""

    def __call__(self, table: str, codes: Tensor) -> Tensor:
        """Codes (n,) -> vectors (n, D)."""
        ...


class Tower(Protocol):
    """How a user becomes a vector: a frozen dataclass whose fields are its options."""

    @property
    def needs_ages(self) -> bool:
        """Whether ``users.ages`` must be there."""
        ...

    @property
    def enough(self) -> int | None:
        """How many items of a history are enough while training, a sample of it; None reads them all."""
        ...

    def tables(self, users: int, items: int) -> Mapping[str, int | tuple[int, int]]:
        """Names and shapes of the tables it needs besides ``items``.

        A length alone is of vectors that start by chance, a length and a width of numbers that start at 0.
        """
        ...

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D).

        Args:
            users: Codes and histories.
            rows: Gathers from the tables.
            targets: While training, the item (n,) of its history that each vector is to predict; the vector
                may not be made from it.
        """
        ...

    def fold_in(self) -> tuple[FoldIn, bool]:
        """How a user never seen in training is served, and whether from input vectors.

        The input vector of an item is the vector of a user with that item alone.
        """
        ...

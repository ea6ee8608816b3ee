"""The interface of towers, which compute vectors of users from rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from torch import Tensor

from recsys.embeddings import FoldIn


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of some users.

    Args:
        codes: (n,) the users.
        items: (T,) their item codes, concatenated, the newest of each user last.
        owner: (T,) the row 0..n-1 that each of the items belongs to.
        lengths: (n,) how many items each has.
        ages: (T,) days between each of the interactions and the newest of the same user, if they are read.
        share: (T,) how many items of the history each represents, if these are a sample of it.
    """

    codes: Tensor
    items: Tensor
    owner: Tensor
    lengths: Tensor
    ages: Tensor | None = None
    share: Tensor | None = None


class Users:
    """Users and, if a tower needs them, their histories.

    Args:
        codes: (n,).
        take: Reads the histories; called once.
    """

    def __init__(self, codes: Tensor, take: Callable[[], Histories]) -> None:
        self.codes = codes
        self._take = take

    @cached_property
    def histories(self) -> Histories:
        """The histories of all of them."""
        return self._take()


class Gather(Protocol):
    """Gathers rows of named tables; in training they are leaves of the graph."""

    def __call__(self, table: str, codes: Tensor) -> Tensor:
        """Codes (n,) -> vectors (n, D)."""
        ...


class Tower(Protocol):
    """Computes vectors of users: a frozen dataclass whose fields are its options."""

    @property
    def needs_ages(self) -> bool:
        """Whether histories must have ``ages``."""
        ...

    @property
    def enough(self) -> int | None:
        """How many items, a sample of a history, are enough in training; None reads all."""
        ...

    def tables(self, users: int, items: int) -> Mapping[str, int | tuple[int, int]]:
        """Names and shapes of the tables it needs besides ``items``.

        An int is the number of rows of vectors that start at random; a pair is the rows and the width of
        numbers that start at 0.
        """
        ...

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D).

        Args:
            users: Codes and histories.
            rows: Gathers from the tables.
            targets: In training, the item (n,) of its history that each vector is to predict; it must not
                enter the vector.
        """
        ...

    def fold_in(self) -> tuple[FoldIn, bool]:
        """How a user never seen in training is served, and whether from input vectors.

        The input vector of an item is the vector of a user with that item alone.
        """
        ...

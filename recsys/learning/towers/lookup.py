"""A vector for every user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from recsys.embeddings import FoldIn
from recsys.learning.towers.tower import Gather, Users


@dataclass(frozen=True)
class Lookup:
    """A free vector for every user; a user never seen in training gets the mean of the history's items.

    ``u = users[code]``.

    Source: Koren et al. 2009, Matrix factorization techniques for recommender systems.
    """

    needs_ages: ClassVar[bool] = False
    enough: ClassVar[int | None] = None

    def tables(self, users: int, items: int) -> Mapping[str, int]:
        """One row per user."""
        return {"users": users}

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D)."""
        return rows("users", users.codes)

    def fold_in(self) -> tuple[FoldIn, bool]:
        """The mean of the history's item vectors, an approximation."""
        return FoldIn("mean"), False

"""The truth of the test set: which items each user chose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, USER
from recsys.ids import IdMap
from recsys.ragged import Ragged
from recsys.storage.arrays import IntArray


@dataclass(frozen=True, slots=True)
class Truth:
    """The users who are scored, and their held-out items.

    Users are those known from train who have a test item. Their test items that are unknown to train cannot
    be listed and stay in ``sizes``, so they count as misses. Users unknown to train are counted apart.

    Args:
        users: (n,) codes, ascending.
        user_ids: (n,) raw ids of those.
        relevant: A row for each of the n users: codes of the test items known from train.
        sizes: (n,) number of all different test items of the user.
        items: I, number of items known from train.
        cold_users: Users with test items who are unknown to train.
        cold_rows: Test rows of those.
        unknown_items: Different test items unknown to train, of the n users.
        unknown_rows: Test rows of the n users with such an item.
    """

    users: IntArray
    user_ids: pl.Series
    relevant: Ragged
    sizes: npt.NDArray[np.int64]
    items: int
    cold_users: int
    cold_rows: int
    unknown_items: int
    unknown_rows: int

    @classmethod
    def of(cls, test: pl.DataFrame, users: IdMap, items: IdMap) -> Truth:
        """Encode a raw test table (user, item) with the ids of train; repeated rows count once.

        Example:
            >>> test = pl.DataFrame({"user": ["a", "a", "z"], "item": ["1", "9", "1"]})
            >>> truth = Truth.of(test, IdMap(pl.Series(["a", "b"])), IdMap(pl.Series(["1", "2"])))
            >>> truth.user_ids.to_list(), truth.relevant.row(0).tolist(), truth.sizes.tolist()
            (['a'], [0], [2])
            >>> truth.cold_users, truth.unknown_items
            (1, 1)
        """
        rows = test.select(USER, ITEM).unique()
        coded = pl.DataFrame({"user": users.encode(rows[USER]), "item": items.encode(rows[ITEM])})
        cold = coded["user"].is_null()
        warm = coded.filter(~cold)
        per_user = warm.group_by("user").agg(pl.len().alias("size")).sort("user")
        codes = per_user["user"].to_numpy().astype(np.int64)
        known = warm.drop_nulls("item").sort("user", "item")
        position = np.searchsorted(codes, known["user"].to_numpy())
        indptr = np.zeros(len(codes) + 1, dtype=np.int64)
        np.cumsum(np.bincount(position, minlength=len(codes)), out=indptr[1:])
        unknown = rows.filter(~cold & coded["item"].is_null())
        return cls(
            codes,
            users.decode(codes),
            Ragged(indptr, known["item"].to_numpy().astype(np.int32)),
            per_user["size"].to_numpy().astype(np.int64),
            len(items),
            cold_users=rows.filter(cold)[USER].n_unique(),
            cold_rows=int(cold.sum()),
            unknown_items=unknown[ITEM].n_unique(),
            unknown_rows=unknown.height,
        )

    def __len__(self) -> int:
        return len(self.users)

    def counts(self) -> dict[str, int]:
        """Counts of users, rows and items, for the report."""
        return {
            "users": len(self),
            "test_rows": int(self.sizes.sum()),
            "cold_users": self.cold_users,
            "cold_rows": self.cold_rows,
            "unknown_items": self.unknown_items,
            "unknown_rows": self.unknown_rows,
        }

    def sample(self, count: int, generator: np.random.Generator) -> Truth:
        """At most ``count`` of the users, at random; the counts of what is unknown stay those of all."""
        if count >= len(self):
            return self
        return self.at(np.sort(generator.choice(len(self), count, replace=False)))

    def at(self, positions: IntArray) -> Truth:
        """The users at some positions; the counts of what is unknown stay those of all."""
        return replace(
            self,
            users=self.users[positions],
            user_ids=self.user_ids.gather(pl.Series(positions)),
            relevant=self.relevant.take(positions),
            sizes=self.sizes[positions],
        )

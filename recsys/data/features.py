"""What is known about users and items beside the log, as models read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recsys.columns import ITEM, USER

if TYPE_CHECKING:
    import polars as pl

    from recsys.ids import IdMap


@dataclass(frozen=True, slots=True)
class Features:
    """Tables of users and of items; ``None`` where nothing was given.

    They may be lazy, so that a model that reads none costs nothing.

    Args:
        users: One row per user at most, with a column ``user`` of raw ids.
        items: One row per item at most, with a column ``item`` of raw ids.
    """

    users: pl.DataFrame | pl.LazyFrame | None = None
    items: pl.DataFrame | pl.LazyFrame | None = None

    def of_users(self, ids: IdMap) -> pl.DataFrame:
        """The columns about users, one row per code, null where a user is missing; none without a table."""
        return _aligned(self.users, USER, ids)

    def of_items(self, ids: IdMap) -> pl.DataFrame:
        """The columns about items, one row per code, null where an item is missing; none without a table.

        Example:
            >>> import polars as pl
            >>> from recsys.ids import IdMap
            >>> table = pl.DataFrame({"item": ["b", "a"], "genre": ["Drama", "Action"]})
            >>> Features(items=table).of_items(IdMap.of(pl.Series(["a", "b", "c"])))["genre"].to_list()
            ['Action', 'Drama', None]
        """
        return _aligned(self.items, ITEM, ids)


def _aligned(table: pl.DataFrame | pl.LazyFrame | None, key: str, ids: IdMap) -> pl.DataFrame:
    import polars as pl

    codes = pl.LazyFrame({key: ids.ids})
    found = codes if table is None else codes.join(table.lazy(), on=key, how="left", maintain_order="left")
    return found.drop(key).collect()

"""A cleaned log by code, in frames that fit in memory; all rows of a user are in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.hashing import Keys, combine, text_keys
from recsys.ids import IdMap
from recsys.storage.arrays import BoolArray

HELD = "held"
CODED = pl.Schema({USER: pl.UInt32, ITEM: pl.UInt32, TIME: pl.Int64, WEIGHT: pl.Float32, HELD: pl.Boolean})

# Which rows of a frame are held out.
Rule = Callable[[pl.DataFrame], BoolArray]


@dataclass(frozen=True, slots=True)
class CodedLog:
    """Rows of a log, one for each (user, item).

    Args:
        frames: Gives the rows, again with each call: user u32, item u32, time i64 (0 where the log has none),
            weight f32, held bool (the row comes from a given test file).
        users: Raw ids of the user codes.
        items: Raw ids of the item codes.
        timed: Whether the log has times.
    """

    frames: Callable[[], Iterator[pl.DataFrame]]
    users: IdMap
    items: IdMap
    timed: bool
    _keys: dict[str, Keys] = field(default_factory=dict, repr=False)
    _columns: Callable[[str], Iterator[pl.Series]] | None = field(default=None, repr=False)

    @property
    def user_keys(self) -> Keys:
        """Stable keys (U,) of the users, made when they are first asked for."""
        return self._made(USER, self.users)

    @property
    def item_keys(self) -> Keys:
        """Stable keys (I,) of the items, made when they are first asked for."""
        return self._made(ITEM, self.items)

    @classmethod
    def of(cls, raw: pl.DataFrame) -> CodedLog:
        """A log of one frame from a raw table, for tests and small tables."""
        users, items = IdMap.of(raw[USER]), IdMap.of(raw[ITEM])
        coded = raw.select(
            users.encode(raw[USER]),
            items.encode(raw[ITEM]),
            pl.col(TIME).fill_null(0),
            WEIGHT,
            (pl.col(HELD) if HELD in raw.columns else pl.lit(value=False)).alias(HELD),
        )
        return cls(lambda: iter([coded]), users, items, timed=raw[TIME].null_count() < raw.height)

    def column(self, name: str) -> Iterator[npt.NDArray[Any]]:
        """One column (n,) of each frame; cheaper than the frames where the log is what others left."""
        return (part.to_numpy() for part in self._series(name))

    def without(self, rule: Rule) -> CodedLog:
        """The rows that ``rule`` does not hold out.

        The rule is evaluated once per row, when rows are first read; its result takes one bit per row.
        """

        @cache
        def kept() -> list[pl.Series]:
            return [pl.Series(~rule(frame)) for frame in self.frames()]

        return CodedLog(
            lambda: (frame.filter(rows) for frame, rows in zip(self.frames(), kept(), strict=True)),
            self.users, self.items, self.timed, self._keys,
            lambda name: (part.filter(rows) for part, rows in zip(self._series(name), kept(), strict=True)),
        )  # fmt: skip

    def keys_of_users(self, frame: pl.DataFrame) -> Keys:
        """Stable keys of the users of a frame's rows."""
        keys: Keys = self.user_keys[frame[USER].to_numpy()]
        return keys

    def keys_of_pairs(self, frame: pl.DataFrame) -> Keys:
        """Stable keys of the (user, item) of a frame's rows."""
        return combine(self.keys_of_users(frame), self.item_keys[frame[ITEM].to_numpy()])

    def _series(self, name: str) -> Iterator[pl.Series]:
        if self._columns is not None:
            return self._columns(name)
        return (frame[name] for frame in self.frames())

    def _made(self, part: str, ids: IdMap) -> Keys:
        if part not in self._keys:
            self._keys[part] = text_keys(ids.ids)
        return self._keys[part]


def nothing(frame: pl.DataFrame) -> BoolArray:
    """Hold out no row."""
    return np.zeros(frame.height, dtype=np.bool_)

"""Checked tables: raw interactions by id, and the same encoded by code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.ragged import Ragged

if TYPE_CHECKING:
    from scipy import sparse

RAW_SCHEMA = pl.Schema({USER: pl.String, ITEM: pl.String, TIME: pl.Int64, WEIGHT: pl.Float32})


@dataclass(frozen=True, slots=True)
class Split:
    """Raw tables (user, item as text; time i64 in microseconds, null where the log has none; weight f32).

    The four are disjoint; ``valid`` is empty if none was held out. ``known`` holds what users know and do
    not like: rows below ``--positive-from``.
    """

    train: pl.DataFrame
    valid: pl.DataFrame
    test: pl.DataFrame
    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RAW_SCHEMA))


@dataclass(frozen=True, slots=True)
class Interactions:
    """Encoded interactions: one row per (user, item) pair.

    Args:
        frame: user u32, item u32, time i64, weight f32, sorted by (user, time, item).
        users: Raw ids of the user codes.
        items: Raw ids of the item codes.
        disliked: What the same users know and do not like, of the same items; None where nothing is.
    """

    frame: pl.DataFrame
    users: IdMap
    items: IdMap
    disliked: Interactions | None = None

    @classmethod
    def of(cls, raw: pl.DataFrame, disliked: pl.DataFrame | None = None) -> Interactions:
        """Encode a raw table; the ids come from it and nothing else.

        Args:
            raw: What is learned from.
            disliked: A raw table of what users know and do not like; rows with other ids are left out.

        Raises:
            InputError: If there is no row.
        """
        if raw.is_empty():
            raise InputError(
                "there are no interactions to learn from; loosen the filters or give more of the log"
            )
        log = cls.encode(raw, IdMap.of(raw[USER]), IdMap.of(raw[ITEM]))
        if disliked is None or disliked.is_empty():
            return log
        aside = cls.encode(disliked, log.users, log.items)
        return replace(log, disliked=aside) if len(aside) else log

    @classmethod
    def encode(cls, raw: pl.DataFrame, users: IdMap, items: IdMap) -> Interactions:
        """Encode a raw table with given ids; rows with an unknown user or item are left out."""
        frame = (
            raw.select(
                users.encode(raw[USER]).alias(USER),
                items.encode(raw[ITEM]).alias(ITEM),
                pl.col(TIME).cast(pl.Int64),
                pl.col(WEIGHT).cast(pl.Float32),
            )
            .drop_nulls([USER, ITEM])
            .sort(USER, TIME, ITEM)
        )
        return cls(frame, users, items)

    def __len__(self) -> int:
        return self.frame.height

    def histories(self) -> Ragged:
        """A row per user code: the items that the user has interacted with, sorted."""
        users = self.frame[USER].to_numpy().astype(np.int64)
        items = self.frame[ITEM].to_numpy().astype(np.int32)
        indptr = np.zeros(len(self.users) + 1, dtype=np.int64)
        np.cumsum(np.bincount(users, minlength=len(self.users)), out=indptr[1:])
        return Ragged(indptr, items[np.lexsort((items, users))])

    def csr(self) -> sparse.csr_array:
        """Weights (U, I), indices sorted; the shape comes from the maps, not from the largest code."""
        from scipy import sparse

        codes = self.frame[USER].to_numpy().astype(np.int32), self.frame[ITEM].to_numpy().astype(np.int32)
        matrix = sparse.csr_array(
            (self.frame[WEIGHT].to_numpy(), codes), shape=(len(self.users), len(self.items))
        )
        matrix.sum_duplicates()
        return matrix

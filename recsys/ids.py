"""Raw ids and codes: the only place where one becomes the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import polars as pl

from recsys.errors import InputError


@dataclass(frozen=True, slots=True)
class IdMap:
    """A bijection of unique raw ids (text, as in the log) and the codes 0..n-1.

    Args:
        ids: Unique, not null; the code of an id is its position.

    Raises:
        InputError: If an id is null or stands twice.

    Example:
        >>> ids = IdMap.of(pl.Series(["10", "9", "10"]))
        >>> ids.ids.to_list(), ids.encode(pl.Series(["10", "x"])).to_list()
        (['9', '10'], [1, None])
    """

    ids: pl.Series

    def __post_init__(self) -> None:
        if self.ids.dtype != pl.String:
            raise InputError(f"ids must be text, not {self.ids.dtype}; cast them to pl.String first")
        if self.ids.null_count():
            raise InputError(f"{self.ids.null_count()} ids are null; drop those rows first")
        if self.ids.n_unique() != len(self.ids):
            twice = self.ids.filter(self.ids.is_duplicated())[0]
            raise InputError(f"id {twice!r} stands more than once; give each id once")

    @classmethod
    def of(cls, raw: pl.Series) -> IdMap:
        """The unique ids of a column: in the order of numbers where all are whole numbers, else of text."""
        unique = raw.cast(pl.String).drop_nulls().unique()
        whole = bool(unique.str.contains(r"^(0|[1-9]\d{0,17})$").all())
        ordered = unique.gather(unique.cast(pl.Int64).arg_sort()) if whole else unique.sort()
        return cls(ordered.rename("id"))

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, raw: pl.Series) -> pl.Series:
        """Codes (u32) of raw ids; null where an id is unknown, and the caller decides what that means."""
        table = pl.DataFrame({"id": self.ids, "code": pl.int_range(len(self), dtype=pl.UInt32, eager=True)})
        keys = pl.DataFrame({"id": raw.cast(pl.String)})
        return keys.join(table, on="id", how="left", maintain_order="left")["code"].rename(raw.name)

    def decode(self, codes: npt.NDArray[Any] | pl.Series) -> pl.Series:
        """Raw ids of codes in 0..n-1."""
        return self.ids.gather(pl.Series(codes).cast(pl.UInt32))

"""Identifies the content of a table, whatever the order of its rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from recsys.columns import TIME, WEIGHT
from recsys.data.coded_log import CodedLog
from recsys.data.hashing import combine, mix

_MODULUS: Final = 1 << 64
_BLOCK: Final = 1 << 14  # rows whose hashes stay in the processor's cache from one step to the next


@dataclass(frozen=True, slots=True)
class Identity:
    """Number of rows and two sums, modulo 2^64, of hashes of each row's user, item, time and weight.

    A sum does not depend on order and can be made in pieces; two of them make a collision practically
    impossible.
    """

    rows: int = 0
    first: int = 0
    second: int = 0

    @classmethod
    def of(cls, log: CodedLog, frame: pl.DataFrame) -> Identity:
        """Identity of rows of a log."""
        first = second = 0
        for rows in frame.iter_slices(_BLOCK):
            weights = rows[WEIGHT].to_numpy().astype(np.float32).view(np.uint32)
            row = combine(combine(log.keys_of_pairs(rows), rows[TIME].to_numpy()), weights)
            first += int(row.sum(dtype=np.uint64))
            second += int(mix(~row).sum(dtype=np.uint64))
        return cls(frame.height, first % _MODULUS, second % _MODULUS)

    def merged(self, other: Identity) -> Identity:
        """Identity of the rows of both."""
        return Identity(
            self.rows + other.rows,
            (self.first + other.first) % _MODULUS,
            (self.second + other.second) % _MODULUS,
        )

    def hash(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(f"{self.rows} {self.first:016x} {self.second:016x}".encode()).hexdigest()

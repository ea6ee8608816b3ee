"""The newest rows of each user are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from recsys.columns import TIME, USER
from recsys.data.coded_log import CodedLog, Rule
from recsys.errors import InputError
from recsys.storage.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class LeaveLast:
    """The newest rows of each user are held out; at least one row of a user stays in train.

    Other users' later rows are in train, so time is not honoured across users. Ties are settled by a
    hash of the row.

    Given as ``--split last:1``.

    Args:
        count: Of rows for each user, 0 or more.
    """

    count: int = 1
    spelled: ClassVar[str] = "last"
    ordered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count is {self.count}; give 0 or more, as last:1")

    def rule(self, log: CodedLog, seed: int) -> Rule:
        """See ``Splitter``."""
        if not log.timed:
            raise InputError(
                f"last:{self.count} needs timestamps and the log has none; "
                "give --time COLUMN, or --split random:0.2 or users:0.1"
            )

        def newest(frame: pl.DataFrame) -> BoolArray:
            users = frame[USER].to_numpy()
            order = np.lexsort((log.keys_of_pairs(frame), frame[TIME].to_numpy(), users))  # (n,)
            _, starts, sizes = np.unique(users[order], return_index=True, return_counts=True)
            held = np.minimum(self.count, sizes - 1)
            mask = np.zeros(frame.height, dtype=np.bool_)
            mask[order] = np.arange(frame.height) >= np.repeat(starts + sizes - held, sizes)
            return mask

        return newest

    def again(self, share: float, log: CodedLog) -> LeaveLast:
        """See ``Splitter``; as many rows of each user as for the test set, whatever the share."""
        return LeaveLast(self.count if share else 0)

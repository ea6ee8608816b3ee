"""The newest rows are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from recsys.columns import TIME
from recsys.data.coded_log import CodedLog, Rule, nothing
from recsys.data.splits.base import checked_share, count_of
from recsys.data.splits.order import kth_smallest
from recsys.errors import InputError
from recsys.storage.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class ByTime:
    """The newest rows are held out: one cut-off for all users, as it is when a system is in use.

    Rows at the moment of the cut-off stay in train, all of them, so the held-out share may be smaller; where
    that would hold out nothing, as in a log of four days, the newest moment is held out whole.

    Given as ``--split time:0.2``.

    Args:
        share: Of the rows, 0 to 1.
    """

    share: float = 0.2
    spelled: ClassVar[str] = "time"
    ordered: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checked_share(self.share)

    def rule(self, log: CodedLog, seed: int) -> Rule:
        """See ``Splitter``."""
        if not log.timed:
            raise InputError(
                f"time:{self.share:g} needs timestamps and the log has none; "
                "give --time COLUMN, or --split random:0.2 or users:0.1"
            )
        rows, held = count_of(log, self.share)
        if held == 0:
            return nothing
        if held == rows:
            return lambda frame: ~nothing(frame)
        cut = kth_smallest(lambda: log.column(TIME), rows - held - 1)
        newest = max(int(part.max()) for part in log.column(TIME) if len(part))
        if cut == newest:
            older = [part[part < newest] for part in log.column(TIME)]
            cut = max((int(part.max()) for part in older if len(part)), default=newest)

        def later(frame: pl.DataFrame) -> BoolArray:
            return frame[TIME].to_numpy() > cut

        return later

    def again(self, share: float, log: CodedLog) -> ByTime:
        """See ``Splitter``."""
        return ByTime(share)

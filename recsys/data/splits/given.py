"""The rows of a given test file are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from recsys.data.coded_log import HELD, CodedLog, Rule
from recsys.data.splits.by_time import ByTime
from recsys.data.splits.random_holdout import RandomHoldout
from recsys.storage.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class Given:
    """The rows of a test file that came with the data are held out, less those that are in train as well.

    The validation set is then the newest rows of train where there are times, else random rows.

    Args:
        test: The file.
    """

    test: str
    ordered: ClassVar[bool] = False

    def rule(self, log: CodedLog, seed: int) -> Rule:
        """See ``Splitter``."""

        def held(frame: pl.DataFrame) -> BoolArray:
            mask: BoolArray = frame[HELD].to_numpy()
            return mask

        return held

    def again(self, share: float, log: CodedLog) -> ByTime | RandomHoldout:
        """See ``Splitter``."""
        return ByTime(share) if log.timed else RandomHoldout(share)

"""Random rows are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from recsys.data.coded_log import CodedLog, Rule, nothing
from recsys.data.hashing import Keys, combine
from recsys.data.splits.base import checked_share, count_of
from recsys.data.splits.order import kth_smallest
from recsys.seeds import derive
from recsys.storage.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class RandomHoldout:
    """Random rows are held out, of all users together.

    The draw of a row is a hash of seed, user and item, which does not change when other rows are added or
    removed.

    Given as ``--split random:0.2``.

    Args:
        share: Of the rows, 0 to 1.
    """

    share: float = 0.2
    spelled: ClassVar[str] = "random"
    ordered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_share(self.share)

    def rule(self, log: CodedLog, seed: int) -> Rule:
        """See ``Splitter``."""
        salt = np.array([derive(seed, "random_holdout")], dtype=np.uint64)

        def draws(frame: pl.DataFrame) -> Keys:
            return combine(log.keys_of_pairs(frame), salt)

        _, held = count_of(log, self.share)
        if held == 0:
            return nothing
        last = kth_smallest(lambda: (draws(frame) for frame in log.frames()), held - 1)

        def drawn(frame: pl.DataFrame) -> BoolArray:
            return draws(frame) <= np.uint64(last)

        return drawn

    def again(self, share: float, log: CodedLog) -> RandomHoldout:
        """See ``Splitter``."""
        return RandomHoldout(share)

"""Whole users, drawn at random, are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from recsys.columns import USER
from recsys.data.coded_log import CodedLog, Rule, nothing
from recsys.data.hashing import combine
from recsys.data.splits.base import checked_share
from recsys.seeds import derive
from recsys.storage.arrays import BoolArray


@dataclass(frozen=True, slots=True)
class ByUser:
    """Whole users, drawn at random, are held out, as users that training never saw.

    The draw is by a hash of seed and user, so it stays when other users are added or removed. A model is
    given the oldest four fifths of the rows of each and has to find the rest; see
    ``recsys.data.splits.histories``.

    Given as ``--split users:0.1``.

    Args:
        share: Of the users, 0 to 1.
    """

    share: float = 0.1
    spelled: ClassVar[str] = "users"
    ordered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_share(self.share)

    def rule(self, log: CodedLog, seed: int) -> Rule:
        """See ``Splitter``."""
        salt = np.array([derive(seed, "by_user")], dtype=np.uint64)
        present = np.zeros(len(log.users), dtype=np.bool_)
        for frame in log.frames():
            present[frame[USER].to_numpy()] = True
        users = np.flatnonzero(present)
        held = round(self.share * len(users))
        if held == 0:
            return nothing
        draws = combine(log.user_keys[users], salt)
        chosen = np.zeros_like(present)
        chosen[users[np.argsort(draws, kind="stable")[:held]]] = True

        def drawn(frame: pl.DataFrame) -> BoolArray:
            mask: BoolArray = chosen[frame[USER].to_numpy()]
            return mask

        return drawn

    def again(self, share: float, log: CodedLog) -> ByUser:
        """See ``Splitter``."""
        return ByUser(share)

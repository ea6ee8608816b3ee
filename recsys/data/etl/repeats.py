"""One row for each (user, item)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.splits.frames import HELD

_PAIR = "pair"


def merge(frame: pl.DataFrame, on_repeat: Literal["last", "first", "sum"]) -> tuple[pl.DataFrame, int, int]:
    """Merge repeats; what comes out does not depend on the order of the rows.

    ``last`` keeps the newest row, ``first`` the oldest; of rows at the same time (or in a log without times)
    the one of the largest weight. ``sum`` adds the weights and keeps the newest time. A row of a given test
    file whose pair is in train is dropped.

    Args:
        frame: Of the columns of ``CODED``; all rows of a user.
        on_repeat: What becomes of repeats.

    Returns:
        Rows sorted by user and item, the number merged, and the number of test rows that were in train.
    """
    ascending = frame.with_columns(
        (pl.col(USER).cast(pl.UInt64) * 2**32 + pl.col(ITEM)).alias(_PAIR),
        (-pl.col(TIME) if on_repeat == "first" else pl.col(TIME)).alias(TIME),
    ).sort(_PAIR, HELD, TIME, WEIGHT)
    pairs, held = ascending[_PAIR].to_numpy(), ascending[HELD].to_numpy()
    new_pair = np.append(True, pairs[1:] != pairs[:-1])
    starts = new_pair | np.append(True, held[1:] != held[:-1])  # where a run of repeats begins
    starts = starts[: len(pairs)]
    ends = np.append(starts[1:], True)[: len(pairs)]
    known = starts & held & ~new_pair[: len(pairs)]  # a test run that follows a train run of its pair
    in_train = np.repeat(known[starts], np.diff(np.append(np.flatnonzero(starts), len(pairs))))
    if on_repeat == "sum" and len(pairs):
        sums = np.add.reduceat(ascending[WEIGHT].to_numpy().astype(np.float64), np.flatnonzero(starts))
        weights = ascending[WEIGHT].to_numpy().copy()
        weights[ends] = sums
        ascending = ascending.with_columns(pl.Series(WEIGHT, weights))
    kept = ascending.filter(pl.Series(ends & ~in_train)).drop(_PAIR)
    if on_repeat == "first":
        kept = kept.with_columns(-pl.col(TIME))
    dropped = int(in_train.sum())
    return kept, frame.height - kept.height - dropped, dropped

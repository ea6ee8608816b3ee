"""One row for each (user, item)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.coded_log import HELD
from recsys.storage.arrays import BoolArray

_PAIR = "pair"
_ROW = "row"
_BITS = 64


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
    order, starts = _ordered(frame[USER].to_numpy(), frame[ITEM].to_numpy())
    single = starts & np.append(starts[1:], True)[: len(order)]
    several = order[~single]
    settled, dropped = _settled(frame[several].with_columns(pl.Series(_ROW, several)), on_repeat)
    # One row is left of each pair, in the order of pairs: the only one, or the one that was settled on.
    chosen, repeated = order[starts], ~single[starts]
    chosen[repeated] = settled[_ROW].to_numpy()
    kept = frame[chosen]
    if on_repeat == "sum":
        weights = kept[WEIGHT].to_numpy().copy()
        weights[repeated] = settled[WEIGHT].to_numpy()
        kept = kept.with_columns(pl.Series(WEIGHT, weights))
    return kept, frame.height - kept.height - dropped, dropped


def _ordered(users: npt.NDArray[Any], items: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], BoolArray]:
    """Positions of the rows, sorted by user and item; and which of them begin another pair.

    Numbers sort six times as fast by themselves as with their positions, so where user, item and position
    fit one number, that is sorted.
    """
    rows, most_item = len(users).bit_length(), int(items.max(initial=0)).bit_length()
    pairs = users.astype(np.uint64) << np.uint64(most_item) | items
    if int(users.max(initial=0)).bit_length() + most_item + rows > _BITS:
        order = np.argsort(pairs)
        pairs = pairs[order]
    else:
        pairs <<= np.uint64(rows)
        pairs |= np.arange(len(pairs), dtype=np.uint64)
        pairs.sort()
        order = (pairs & np.uint64((1 << rows) - 1)).astype(np.intp)
        pairs >>= np.uint64(rows)
    return order, np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]


def _settled(repeats: pl.DataFrame, on_repeat: Literal["last", "first", "sum"]) -> tuple[pl.DataFrame, int]:
    """One row of each pair, sorted by pair; and the number of test rows that were in train."""
    ascending = repeats.with_columns(
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
        weights[ends] = np.minimum(sums, np.finfo(np.float32).max)
        ascending = ascending.with_columns(pl.Series(WEIGHT, weights))
    return ascending.filter(pl.Series(ends & ~in_train)), int(in_train.sum())

"""Splits the rows of an unseen user into the history that a model is given and the targets it has to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from recsys.columns import ITEM, TIME, USER
from recsys.data.hashing import combine, text_keys

# One row in so many is a target, the newest; the others are the history.
TARGETS_OF: Final = 5

_SIZE: Final = "_size"


@dataclass(frozen=True, slots=True)
class FoldInSplit:
    """Rows of users that are not in train, in two parts.

    Args:
        history: Raw rows that a model may be given, the oldest of a user first.
        targets: Raw rows that it has to find.
        left_out: Number of users with too few rows for both.
    """

    history: pl.DataFrame
    targets: pl.DataFrame
    left_out: int


def oldest_rows(rows: pl.DataFrame) -> FoldInSplit:
    """The oldest four fifths of each user's rows, rounded, are the history, and the rest the targets.

    Each user has at least one row of history and one target; a user with a single row is left out.

    Example:
        >>> rows = pl.DataFrame({"user": ["a"] * 3, "item": ["x", "y", "z"], "time": [3, 1, 2]})
        >>> split = oldest_rows(rows)
        >>> split.history["item"].to_list(), split.targets["item"].to_list(), split.left_out
        (['y', 'z'], ['x'], 0)
    """
    size = pl.col(_SIZE).cast(pl.Int64)
    targets = (2 * size + TARGETS_OF) // (2 * TARGETS_OF)  # a fifth, to the nearest
    return _cut(rows, size - targets.clip(lower_bound=1))


def first_rows(rows: pl.DataFrame, count: int) -> FoldInSplit:
    """The first ``count`` rows of each user are the history; users without more rows are left out."""
    return _cut(rows, pl.lit(count))


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows by user, the oldest first; equal or missing times are ordered by a hash of user and item.

    The hash depends on nothing else, so the order is the same wherever the rows are, and without times it is
    random.
    """
    keys = combine(text_keys(rows[USER]), text_keys(rows[ITEM]))
    return rows.sort(pl.col(USER), pl.col(TIME).fill_null(0), pl.Series("_key", keys))


def _cut(rows: pl.DataFrame, length: pl.Expr) -> FoldInSplit:
    sized = ordered(rows).with_columns(pl.len().over(USER).alias(_SIZE))
    both = sized.filter((length > 0) & (length < pl.col(_SIZE)))
    early = pl.int_range(pl.len()).over(USER) < length
    left_out = rows[USER].n_unique() - both[USER].n_unique()
    return FoldInSplit(both.filter(early).drop(_SIZE), both.filter(~early).drop(_SIZE), left_out)

"""Which rows of an unseen user are given to a model as history, and which are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from recsys.columns import ITEM, TIME, USER
from recsys.data.hashing import combine, text_keys

# One row in so many is asked, the newest; the others are the history.
ASKED_OF: Final = 5

_SIZE: Final = "_size"


@dataclass(frozen=True, slots=True)
class Granted:
    """Rows of users that training lacks, in two parts.

    Args:
        history: Raw rows that a model may be given, the oldest of a user first.
        asked: Raw rows that it has to find.
        left_out: Users with too few rows for both.
    """

    history: pl.DataFrame
    asked: pl.DataFrame
    left_out: int


def oldest_rows(rows: pl.DataFrame) -> Granted:
    """Grant the oldest four fifths of each user's rows, rounded, and ask for the rest.

    At least one row is granted and one asked; a user with a single row is left out.

    Example:
        >>> rows = pl.DataFrame({"user": ["a"] * 3, "item": ["x", "y", "z"], "time": [3, 1, 2]})
        >>> granted = oldest_rows(rows)
        >>> granted.history["item"].to_list(), granted.asked["item"].to_list(), granted.left_out
        (['y', 'z'], ['x'], 0)
    """
    size = pl.col(_SIZE).cast(pl.Int64)
    asked = (2 * size + ASKED_OF) // (2 * ASKED_OF)  # a fifth, to the nearest
    return _cut(rows, size - asked.clip(lower_bound=1))


def first_rows(rows: pl.DataFrame, count: int) -> Granted:
    """Grant the first ``count`` rows of each user and ask for the rest; who has no more is left out."""
    return _cut(rows, pl.lit(count))


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows by user, the oldest first; equal or missing times in an order of their own.

    That order is a hash of user and item, so it is the same wherever the rows stand, and without times it is
    a random one.
    """
    keys = combine(text_keys(rows[USER]), text_keys(rows[ITEM]))
    return rows.sort(pl.col(USER), pl.col(TIME).fill_null(0), pl.Series("_key", keys))


def _cut(rows: pl.DataFrame, granted: pl.Expr) -> Granted:
    sized = ordered(rows).with_columns(pl.len().over(USER).alias(_SIZE))
    both = sized.filter((granted > 0) & (granted < pl.col(_SIZE)))
    early = pl.int_range(pl.len()).over(USER) < granted
    left_out = rows[USER].n_unique() - both[USER].n_unique()
    return Granted(both.filter(early).drop(_SIZE), both.filter(~early).drop(_SIZE), left_out)

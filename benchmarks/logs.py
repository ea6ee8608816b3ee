"""Synthetic logs with a long tail, made in memory in seconds, for what is measured by size alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.tables import Interactions
from recsys.ids import IdMap
from recsys.seeds import generator

SPARE = 1.4  # draws for each row that is wanted: repeats fall out


def long_tail(users: int, items: int, rows: int, *, seed: int = 0) -> Interactions:
    """About ``rows`` different (user, item) pairs: activity by rank to the power -0.5, popularity -0.7.

    There are fewer where the table is too full to find as many in ``SPARE`` draws a row.
    """
    rng = generator(seed, "long tail", users, items, rows)
    draws = int(rows * SPARE)
    pairs = np.unique(_tail(users, 0.5, draws, rng) * items + _tail(items, 0.7, draws, rng))
    if len(pairs) > rows:
        pairs = np.sort(rng.choice(pairs, rows, replace=False, shuffle=False))
    frame = pl.DataFrame(
        {
            USER: pl.Series(pairs // items, dtype=pl.UInt32),
            ITEM: pl.Series(pairs % items, dtype=pl.UInt32),
            TIME: pl.zeros(len(pairs), pl.Int64, eager=True),
            WEIGHT: pl.ones(len(pairs), pl.Float32, eager=True),
        }
    )
    return Interactions(frame, numbered(users), numbered(items))


def numbered(size: int) -> IdMap:
    """Ids that are the codes."""
    return IdMap(pl.int_range(size, eager=True).cast(pl.String).alias("id"))


def _tail(size: int, power: float, draws: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    ladder = np.cumsum(np.arange(1, size + 1, dtype=np.float64) ** -power)
    found = np.searchsorted(ladder, rng.random(draws) * ladder[-1], side="right")
    return rng.permutation(size)[np.minimum(found, size - 1)]

"""Intervals by resampling users with replacement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys import seeds
from recsys.evaluation.metrics.metric import Metric, Values
from recsys.evaluation.ranked import Ranked

RESAMPLES: Final = 1000
# A catalogue metric is computed again for each resample, and only its spread is needed.
CATALOGUE_RESAMPLES: Final = 100
WEIGHTS_AT_ONCE: Final = 1 << 21


def mean_intervals(values: Values, seed: int) -> npt.NDArray[np.float64]:
    """95 % percentile intervals of the means of columns, NaN left out.

    All columns share the resamples. A resample is a row of how often each user was drawn, so a block of
    them is one matrix product.

    Args:
        values: (n, M), one row per user, n at least 1.
        seed: Of the resampling.

    Returns:
        (M, 2) low and high; NaN where a column is.

    Source: Efron and Tibshirani 1993, An introduction to the bootstrap, section 13.3.
    """
    defined = np.isfinite(values)
    summed = np.hstack([np.where(defined, values, 0.0), defined])  # (n, 2 M)
    sums = np.vstack([weights @ summed for weights in weights_of_resamples(len(values), RESAMPLES, seed)])
    total, count = np.hsplit(sums, 2)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)  # (resamples, M)
    bounds = np.full((values.shape[1], 2), np.nan)
    for column in np.flatnonzero(defined.any(axis=0)):
        bounds[column] = np.nanquantile(means[:, column], (0.025, 0.975))
    return bounds


def catalogue_interval(metric: Metric, ranked: Ranked, seed: int) -> tuple[float, float]:
    """95 % interval of one value of all lists: the value and 1.96 bootstrap standard errors either side.

    A resample repeats users, so it covers fewer items than they do; percentiles would miss the value itself.
    """
    value = float(metric(ranked))
    generator = seeds.generator(seed, "bootstrap", "catalogue")
    spread = float(np.std([
        metric(_drawn(ranked, generator.integers(0, len(ranked.codes), len(ranked.codes))))
        for _ in range(CATALOGUE_RESAMPLES)
    ], ddof=1))  # fmt: skip
    return max(0.0, value - 1.96 * spread), min(1.0, value + 1.96 * spread)


def _drawn(ranked: Ranked, users: npt.NDArray[np.int64]) -> Ranked:
    return Ranked(
        ranked.codes[users], ranked.hits[users], ranked.sizes[users], ranked.chosen, ranked.training_users
    )


def weights_of_resamples(
    users: int, resamples: int, seed: int, at_once: int = WEIGHTS_AT_ONCE
) -> Iterator[npt.NDArray[np.float64]]:
    """Blocks (b, users) of how often each user is drawn; each row sums to ``users``."""
    generator = seeds.generator(seed, "bootstrap")
    size = max(1, at_once // users)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        drawn = generator.integers(0, users, (rows, users)) + np.arange(rows)[:, None] * users
        yield np.bincount(drawn.ravel(), minlength=rows * users).reshape(rows, users).astype(np.float64)

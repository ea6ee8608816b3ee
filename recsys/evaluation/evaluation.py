"""The evaluation of a model: means, values per user, intervals, and the difference to another model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.choosing import Judgement
from recsys.columns import USER
from recsys.errors import InputError
from recsys.evaluation.bootstrap import catalogue_interval, mean_intervals
from recsys.evaluation.names import metric
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out of ``evaluate``.

    Args:
        values: Metric -> mean over the users where it is defined, or the one value of all lists.
        per_user: ``user`` (raw id), then a column per metric that has a value per user; NaN where undefined.
        counts: Who and what was counted; see ``Truth.counts``.
        ranked: The lists beside the truth.
    """

    values: Mapping[str, float]
    per_user: pl.DataFrame
    counts: Mapping[str, int]
    ranked: Ranked

    def judgement(self, name: str) -> float:
        """A metric to choose candidates by: with the value of each user, where it has one per user."""
        if name not in self.per_user.columns:
            return self.values[name]
        return Judgement(self.per_user[name].to_numpy())

    def intervals(self, seed: int = 0) -> dict[str, list[float]]:
        """Metric -> [low, high], the 95 % bootstrap interval over users."""
        names = self.per_user.columns[1:]
        bounds = mean_intervals(self.per_user.select(names).to_numpy(), seed).tolist()
        found = dict(zip(names, bounds, strict=True))
        for name in self.values:
            if name not in found:
                found[name] = list(catalogue_interval(metric(name), self.ranked, seed))
        return {name: found[name] for name in self.values}

    def difference(self, other: Evaluation, seed: int = 0) -> dict[str, dict[str, float]]:
        """Paired difference, this model minus the other; see ``paired_difference``."""
        return paired_difference(self.per_user, other.per_user, seed)


def paired_difference(mine: pl.DataFrame, other: pl.DataFrame, seed: int = 0) -> dict[str, dict[str, float]]:
    """Paired difference of two models, mine minus the other, over the same users.

    Args:
        mine: ``Evaluation.per_user`` of one model.
        other: That of another on the same users; metrics that only one of the two has are left out.
        seed: Of the resampling.

    Returns:
        Metric -> mean, low and high (95 % bootstrap interval).

    Raises:
        InputError: If the users are not the same.
    """
    mine, other = mine.sort(USER), other.sort(USER)
    if not mine[USER].equals(other[USER]):
        raise InputError(
            f"the two evaluations are of different users ({mine.height} and {other.height}); "
            "evaluate both models on the same split"
        )
    names = [name for name in mine.columns[1:] if name in other.columns]
    gap = mine.select(names).to_numpy() - other.select(names).to_numpy()
    bounds = mean_intervals(gap, seed)
    return {
        name: {"mean": float(np.nanmean(gap[:, at])), "low": float(low), "high": float(high)}
        for at, (name, (low, high)) in enumerate(zip(names, bounds, strict=True))
    }

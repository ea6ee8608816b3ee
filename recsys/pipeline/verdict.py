"""What a run keeps of an evaluation: plain values, and a table of users for later comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recsys.columns import USER
from recsys.evaluation.evaluation import Evaluation, paired_difference
from recsys.files import replacing


@dataclass(frozen=True, slots=True)
class Verdict:
    """An evaluation without its lists.

    Args:
        metrics: Metric -> value; None where it is undefined.
        intervals: Metric -> [low, high] at 95 %.
        counts: Who and what was counted.
        per_user: ``user``, then a column a metric.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, list[float | None]]
    counts: Mapping[str, int]
    per_user: pl.DataFrame

    @classmethod
    def of(cls, evaluation: Evaluation, seed: int) -> Verdict:
        """Keep what lasts; intervals are made here."""
        intervals = {
            name: [_finite(bound) for bound in pair] for name, pair in evaluation.intervals(seed).items()
        }
        metrics = {name: _finite(value) for name, value in evaluation.values.items()}
        return cls(metrics, intervals, evaluation.counts, evaluation.per_user)

    @classmethod
    def read(cls, stored: Mapping[str, Any], path: Path) -> Verdict:
        """The inverse of ``document`` and ``write``."""
        return cls(stored["metrics"], stored["intervals"], stored["counts"], pl.read_parquet(path))

    def document(self) -> dict[str, Any]:
        """Everything but the users, as JSON values."""
        return {"metrics": dict(self.metrics), "intervals": dict(self.intervals), "counts": dict(self.counts)}

    def write(self, path: Path) -> None:
        """Write the table of users."""
        with replacing(path) as temporary:
            self.per_user.write_parquet(temporary)

    def difference(self, other: Verdict, seed: int) -> dict[str, dict[str, float | None]]:
        """Paired difference, this minus the other, over the users that both could score."""
        both = self.per_user.select(USER).join(other.per_user.select(USER), on=USER)
        mine, others = (each.join(both, on=USER, how="semi") for each in (self.per_user, other.per_user))
        gaps = paired_difference(mine, others, seed)
        return {metric: {key: _finite(value) for key, value in gap.items()} for metric, gap in gaps.items()}


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None

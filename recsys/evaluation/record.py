"""What a run keeps of an evaluation: plain values, and a table of users for later comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from recsys.columns import USER
from recsys.evaluation.evaluation import Evaluation, paired_difference
from recsys.storage.files import replacing

BESIDE: Final = ("fold_in", "history_curve", "warm_up")


@dataclass(frozen=True, slots=True)
class Verdict:
    """An evaluation without its lists.

    Args:
        metrics: Metric -> value; None where it is undefined.
        intervals: Metric -> [low, high] at 95 %.
        counts: Who and what was counted.
        per_user: ``user``, then a column per metric.
        beside: ``fold_in``, ``history_curve`` and ``warm_up``, where these were measured; see ``scored``.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, list[float | None]]
    counts: Mapping[str, int]
    per_user: pl.DataFrame
    beside: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, evaluation: Evaluation, seed: int, beside: Mapping[str, Any] | None = None) -> Verdict:
        """Keep what lasts; intervals are made here."""
        values = plain(evaluation, seed)
        return cls(
            values["metrics"], values["intervals"], evaluation.counts, evaluation.per_user, beside or {}
        )

    @classmethod
    def read(cls, stored: Mapping[str, Any], path: Path) -> Verdict:
        """The inverse of ``document`` and ``write``."""
        beside = {name: stored[name] for name in BESIDE if name in stored}
        return cls(stored["metrics"], stored["intervals"], stored["counts"], pl.read_parquet(path), beside)

    def document(self) -> dict[str, Any]:
        """Everything but the users, as JSON values."""
        own = {"metrics": dict(self.metrics), "intervals": dict(self.intervals), "counts": dict(self.counts)}
        return own | dict(self.beside)

    def write(self, path: Path) -> None:
        """Write the table of users."""
        with replacing(path) as temporary:
            self.per_user.write_parquet(temporary)

    def difference(self, other: Verdict, seed: int) -> dict[str, dict[str, float | None]]:
        """Paired difference, this minus the other, over the users that both could score; null without one."""
        both = self.per_user.select(USER).join(other.per_user.select(USER), on=USER)
        if both.is_empty():
            return {metric: {"mean": None, "low": None, "high": None} for metric in self.per_user.columns[1:]}
        mine, others = (each.join(both, on=USER, how="semi") for each in (self.per_user, other.per_user))
        gaps = paired_difference(mine, others, seed)
        return {metric: {key: _finite(value) for key, value in gap.items()} for metric, gap in gaps.items()}


def plain(evaluation: Evaluation, seed: int) -> dict[str, Any]:
    """Metrics and their intervals as JSON values."""
    return {
        "metrics": {name: _finite(value) for name, value in evaluation.values.items()},
        "intervals": {
            name: [_finite(bound) for bound in pair] for name, pair in evaluation.intervals(seed).items()
        },
    }


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None

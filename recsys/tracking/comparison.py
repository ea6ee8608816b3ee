"""Runs of one split side by side: intervals, paired differences, and what was done differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from recsys.columns import USER
from recsys.errors import InputError
from recsys.tracking.differing import Recipe, differing
from recsys.tracking.summary import TUNED, Summary

if TYPE_CHECKING:
    import polars as pl

MODEL_FILE: Final = "per_user"


@dataclass(frozen=True, slots=True)
class Row:
    """One model: a run, or a baseline that a run was compared with.

    Args:
        run: The run; for a baseline, the run that was compared with it.
        baseline: Name of the baseline; None for a run.
        model: Its model, and its loss where it has one.
        value: The metric.
        interval: 95 % over users, if there is one.
        recipe: How it was made.
        seconds: Of fitting; None if not measured.
        size: Bytes on disk of the files that serve; None for a baseline.
        options: Settings of the recipe in which it differs from the other rows.
        to_best: Paired difference to the first row: mean, low, high; None if there is none.
        to_baseline: The same to the best baseline.
    """

    run: str
    baseline: str | None
    model: str
    value: float
    interval: tuple[float, float] | None
    recipe: Recipe
    seconds: float | None
    size: float | None
    options: Mapping[str, str] = field(default_factory=dict)
    to_best: Mapping[str, float] | None = None
    to_baseline: Mapping[str, float] | None = None

    @property
    def name(self) -> str:
        """What a table calls it."""
        return self.run if self.baseline is None else f"{self.baseline} (baseline)"

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        low, high = self.interval or (None, None)
        return {
            "run": None if self.baseline else self.run,
            "baseline": self.baseline,
            "model": self.model,
            "value": self.value,
            "interval": [low, high],
            "to_best": self.to_best,
            "to_baseline": self.to_baseline,
            "options": dict(self.options),
            "seconds": self.seconds,
            "bytes": self.size,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows, the best first."""

    dataset: str
    split_hash: str
    metric: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)

    @property
    def best_baseline(self) -> str | None:
        """Name of the best baseline, which ``to_baseline`` is about; None if there is none."""
        return next((row.baseline for row in self.rows if row.baseline), None)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from recsys import notebook

        return notebook.comparison(self.document())

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        rows = [{"rank": rank, **row.document()} for rank, row in enumerate(self.rows, start=1)]
        return {
            "dataset": self.dataset,
            "split_hash": self.split_hash,
            "metric": self.metric,
            "best_baseline": self.best_baseline,
            "rows": rows,
            "notes": self.notes,
        }


# Values per user of a run (``per_user``) or of one of its baselines (``als``); None if they are missing.
PerUser = Callable[[str, str], "pl.DataFrame | None"]


def compare(runs: Sequence[Summary], metric: str, per_user: PerUser, seed: int = 0) -> Comparison:
    """Set runs side by side.

    Args:
        runs: At least one.
        metric: Such as ``ndcg@10``; the rows are sorted by it.
        per_user: Finds the values per user.
        seed: Of the resampling of users.

    Raises:
        InputError: If the runs are on different data or splits, or none has the metric.
    """
    check_same_split(runs)
    if not any(metric in run.figures for run in runs):
        known = sorted(
            {name for run in runs for name in run.figures if "@" in name and "/" not in name},
            key=lambda name: (name.partition("@")[0], int(name.partition("@")[2])),
        )
        raise InputError(f"no run has the metric {metric!r}; there are: {', '.join(known)}")
    notes = [f"{run.run} has no {metric} and is left out" for run in runs if metric not in run.figures]
    rows = [_row(run, metric) for run in runs if metric in run.figures] + _baselines(runs, metric)
    differences = differing([row.recipe for row in rows])
    rows = [replace(row, options=options) for row, options in zip(rows, differences, strict=True)]
    rows = sorted(rows, key=lambda row: row.value, reverse=True)
    paired, lost = _paired(rows, metric, per_user, seed)
    return Comparison(runs[0].dataset, runs[0].split_hash, metric, paired, notes + lost)


def check_same_split(runs: Sequence[Summary]) -> None:
    """Refuse runs of different splits: figures on different test sets cannot be compared.

    Raises:
        InputError: If the runs are not all of one split; every run is named.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.dataset_hash, run.split_hash), []).append(run.run)
    if len({(data, split) for _, data, split in groups}) > 1:
        named = "; ".join(
            f"{', '.join(names)}: {dataset}, data {data[:8]}, split {split[:8]}"
            for (dataset, data, split), names in groups.items()
        )
        raise InputError(f"runs of different data or splits cannot be compared ({named}); name runs of one")


def _row(run: Summary, metric: str) -> Row:
    settings = {
        key.removeprefix("model."): value
        for key, value in run.options.items()
        if key not in ("model", "model.seed", "index.seed") and not key.startswith("baselines.")
    }
    chosen = frozenset(key for key in settings if key.startswith("chosen."))
    return Row(
        run.run,
        None,
        " ".join(each for each in (run.model, run.loss) if each),
        run.figures[metric],
        run.interval(metric),
        Recipe(run.model, settings, chosen),
        run.figures.get("seconds/fit"),
        run.figures.get("bytes"),
    )


def _baselines(runs: Sequence[Summary], metric: str) -> list[Row]:
    """Each baseline once, however many runs were compared with it."""
    found: dict[tuple[str, float], Row] = {}
    for run in runs:
        for name in run.baselines:
            prefix = f"baseline/{name}/"
            value = run.figures.get(prefix + metric)
            if value is not None and (name, value) not in found:
                recipe = _baseline_recipe(run, name)
                seconds = run.figures.get(prefix + "seconds")
                interval = run.interval(prefix + metric)
                found[name, value] = Row(run.run, name, name, value, interval, recipe, seconds, None)
    return list(found.values())


def _baseline_recipe(run: Summary, name: str) -> Recipe:
    start = f"baselines.{name}."
    settings = {key.removeprefix(start): value for key, value in run.options.items() if key.startswith(start)}
    tuned = settings.pop(TUNED, "").split(", ")
    settings.pop("seed", None)  # that of the run
    return Recipe(name, settings, frozenset(tuned), baseline=True)


def _paired(rows: list[Row], metric: str, per_user: PerUser, seed: int) -> tuple[list[Row], list[str]]:
    """Each row's differences to the first row and to the best baseline, over the users of the test set."""
    tables = [per_user(row.run, row.baseline or MODEL_FILE) for row in rows]
    notes = [
        f"{row.name}: its values per user are missing, so it has no paired difference"
        for row, table in zip(rows, tables, strict=True)
        if table is None
    ]
    values = [
        table.select(USER, metric).sort(USER) if table is not None and metric in table.columns else None
        for table in tables
    ]

    def differences(other: int | None) -> list[Mapping[str, float] | None]:
        """Of each row to the row ``other``; all users are drawn once for all of them."""
        none: list[Mapping[str, float] | None] = [None] * len(rows)
        theirs = None if other is None else values[other]
        if other is None or theirs is None:
            return none
        against = {}
        for at, mine in enumerate(values):
            if at == other or mine is None:
                continue
            if mine[USER].equals(theirs[USER]):
                against[str(at)] = mine[metric]
            else:
                notes.append(f"{rows[at].name} and {rows[other].name} were scored on different users")
        found = _to_one(theirs, metric, against, seed)
        return [found.get(str(at)) for at in range(len(rows))]

    baseline = next((at for at, row in enumerate(rows) if row.baseline), None)
    paired = [
        replace(row, to_best=to_best, to_baseline=to_baseline)
        for row, to_best, to_baseline in zip(rows, differences(0), differences(baseline), strict=True)
    ]
    return paired, list(dict.fromkeys(notes))


def _to_one(
    theirs: pl.DataFrame, metric: str, against: Mapping[str, pl.Series], seed: int
) -> dict[str, dict[str, float]]:
    """Paired differences of many columns to the column ``metric``, over the same users."""
    from recsys.evaluation.evaluation import paired_difference

    if not against:
        return {}
    users = theirs.select(USER)
    mine = users.with_columns(**against)
    others = users.with_columns(**dict.fromkeys(against, theirs[metric]))
    return paired_difference(mine, others, seed)

"""``recsys runs``: list the runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from recsys.cli.run_option import SourceOption
from recsys.cli.session import Session, command
from recsys.errors import InputError
from recsys.storage.home import Home

if TYPE_CHECKING:
    from rich.console import Console

    from recsys.cli.table import Column
    from recsys.tracking.summary import Summary

SHOWN: Final = ("ndcg@10", "recall@20")
FILTERS: Final = ("dataset", "model", "loss")
# What is shown of a run; those on the right are left out first on a narrow terminal.
OPTIONS: Final = ("dataset", "loss", "model", "distance", "miner")
# Shown where all runs are the same in it too, as long as there is room.
ALWAYS: Final = ("loss", "model")


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(runs)


def runs(
    session: Session,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Only runs on this dataset.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only runs of this model.")] = None,
    loss: Annotated[str | None, typer.Option("--loss", help="Only runs with this loss.")] = None,
    last: Annotated[int | None, typer.Option("--last", metavar="N", help="Only the N newest.")] = None,
    source: SourceOption = "folders",
    sync: Annotated[
        bool, typer.Option("--sync", help="First log to MLflow the runs that it does not have.")
    ] = False,
) -> None:
    """List runs: what they are, how good, and which one is current and which one champion."""
    from recsys.tracking.mlflow_tracker import MlflowTracker
    from recsys.tracking.run_list import list_runs

    if last is not None and last < 1:
        raise InputError(f"--last is {last}; the number of runs to list is at least 1")
    tracker = MlflowTracker(session.home, session.warn)
    synced = tracker.sync(session.say) if sync else []
    found = list_runs(session.home, tracker, session.warn, ask_mlflow=source == "mlflow")
    asked = {"dataset": dataset, "model": _as_stored(model), "loss": _as_stored(loss)}
    wanted = {key: value for key, value in asked.items() if value is not None}
    chosen = [run for run in found.runs if all(getattr(run, key) == wanted[key] for key in wanted)]
    home, of = session.home, {run.dataset for run in chosen}
    marks = {each: {"current": home.current("run", each), "champion": home.champion(each)} for each in of}
    document = {
        "tracking_uri": tracker.uri,
        "runs": [
            _document(run)
            | {mark: run.run == name for mark, name in marks[run.dataset].items()}
            | {"logged": run.run not in found.unlogged, "here": (home.runs / run.run).is_dir()}
            for run in chosen[:last]
        ],
        "unfinished": _unfinished(home),
        "synced": synced,
    }
    nothing = _nothing(found.runs, wanted)
    session.show(document, lambda console: _render(console, document, nothing))


def _as_stored(name: str | None) -> str | None:
    return None if name is None else name.replace("-", "_")


def _document(run: Summary) -> dict[str, Any]:
    return {
        "run": run.run,
        "dataset": run.dataset,
        "split_hash": run.split_hash,
        "model": run.model,
        "loss": run.loss,
        "distance": run.options.get("model.distance"),
        "miner": run.options.get("model.miner"),
        "metrics": {name: run.figures.get(name) for name in SHOWN},
        "status": run.status,
        "created": run.created,
    }


def _nothing(everything: list[Summary], wanted: dict[str, str]) -> str:
    """The message if no run is listed."""
    if not everything:
        return "There is no run yet; make one with `recsys train`."
    there = [
        f"{key}: {', '.join(sorted({str(getattr(run, key)) for run in everything if getattr(run, key)}))}"
        for key in wanted
    ]
    return f"No run is of {', '.join(f'{key} {value}' for key, value in wanted.items())}; {'; '.join(there)}"


def _unfinished(home: Home) -> list[str]:
    """Runs that were stopped during the fit: with a checkpoint, but without ``run.json``."""
    stopped = (path.parent for path in home.runs.glob("*/checkpoints"))
    return sorted(folder.name for folder in stopped if not (folder / "run.json").exists())


def _render(console: Console, document: dict[str, Any], nothing: str) -> None:
    from recsys.cli.table import show

    listed = document["runs"]
    if not listed and not document["unfinished"]:
        console.print(nothing, markup=False)
        return
    if listed:
        left_out = show(console, _columns(listed))
        of = {run["dataset"] for run in listed}
        marks = ["* the current run" + (f" on {of.pop()}" if len(of) == 1 else " of its dataset")]
        marks += [f"no room for: {', '.join(left_out)}"] if left_out else []
        console.print("; ".join(marks), markup=False)
    if not all(run["logged"] for run in listed):
        console.print("Not all runs are in MLflow; log them with `recsys runs --sync`.")
    for name in document["unfinished"]:
        console.print(f"{name} was stopped; continue with `recsys train --resume {name}`.", markup=False)


def _columns(listed: list[dict[str, Any]]) -> list[Column]:
    from recsys.cli.table import Column

    def text(key: str) -> list[str]:
        return [str(run[key] or "-") for run in listed]

    differ = {key: len(set(text(key))) > 1 for key in OPTIONS}
    names = [
        Column(key, text(key), rank=rank + (2 if differ[key] else 20))
        for rank, key in enumerate(OPTIONS)
        if differ[key] or key in ALWAYS
    ]
    figures = [
        Column(name, [_figure(run["metrics"][name]) for run in listed], rank=rank, right=True)
        for rank, name in enumerate(SHOWN)
    ]
    notes = [_note(run) for run in listed]
    return [
        Column("", ["*" if run["current"] else "" for run in listed]),
        Column("run", text("run"), folds=True),
        *names,
        *figures,
        Column("age", [age(run["created"]) for run in listed], rank=9, right=True),
        *([Column("", notes, folds=True)] if any(notes) else []),
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _note(run: dict[str, Any]) -> str:
    marks = [
        *([] if run["status"] == "finished" else [str(run["status"])]),
        *(["champion"] if run["champion"] else []),
        *([] if run["logged"] else ["not in MLflow"]),
        *([] if run["here"] else ["no folder here"]),
    ]
    return ", ".join(marks)


def age(created: str, now: datetime | None = None) -> str:
    """Time since ``created`` in its largest unit.

    Example:
        >>> age("2026-01-01T00:00:00+00:00", datetime(2026, 1, 3, 5, tzinfo=UTC))
        '2 d'
    """
    seconds = max(0, int(((now or datetime.now(UTC)) - datetime.fromisoformat(created)).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

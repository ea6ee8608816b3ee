"""``recsys runs``: what was trained."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from recsys.cli.session import Session, command
from recsys.home import Home

SHOWN = ("ndcg@10", "recall@20")


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(runs)


def runs(
    session: Session,
    sync: Annotated[
        bool, typer.Option("--sync", help="First log to MLflow the runs that it does not have.")
    ] = False,
) -> None:
    """List runs: what they are, how good, and which one is current and which one champion."""
    from recsys.tracking.catalogue import catalogue
    from recsys.tracking.mlflow_tracker import MlflowTracker

    tracker = MlflowTracker(session.home, session.warn)
    synced = tracker.sync(session.say) if sync else []
    found = catalogue(session.home, tracker, session.warn)
    listed = [
        {
            "run": run.run,
            "dataset": run.dataset,
            "split_hash": run.split_hash,
            "model": run.model,
            "loss": run.loss,
            "metrics": {name: run.figures.get(name) for name in SHOWN},
            "status": run.status,
            "created": run.created,
            "current": run.run == session.home.current("run"),
            "champion": run.run == session.home.champion(),
            "logged": run.run not in found.unlogged,
            "here": (session.home.runs / run.run).is_dir(),
        }
        for run in found.runs
    ]
    unfinished = _unfinished(session.home)
    document = {"tracking_uri": tracker.uri, "runs": listed, "unfinished": unfinished, "synced": synced}
    session.show(document, lambda console: _render(console, document))


def _unfinished(home: Home) -> list[str]:
    """Runs that were stopped while fitting: a checkpoint is there, but no ``run.json``."""
    stopped = (path.parent for path in home.runs.glob("*/checkpoints"))
    return sorted(folder.name for folder in stopped if not (folder / "run.json").exists())


def _render(console: Console, document: dict[str, Any]) -> None:
    if not document["runs"] and not document["unfinished"]:
        console.print("There is no run yet; make one with `recsys train`.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("", "run", "dataset", "model", "loss"):
        table.add_column(name, no_wrap=True)
    for name in (*SHOWN, "age"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status")
    for run in document["runs"]:
        figures = (run["metrics"][name] for name in SHOWN)
        table.add_row(
            "*" if run["current"] else "", run["run"], run["dataset"], run["model"], run["loss"] or "-",
            *("-" if value is None else f"{value:.4f}" for value in figures),
            age(run["created"]), _status(run),
        )  # fmt: skip
    console.print(table)
    console.print("* current")
    if not all(run["logged"] for run in document["runs"]):
        console.print("Not all runs are in MLflow; log them with `recsys runs --sync`.")
    for name in document["unfinished"]:
        console.print(f"{name} was stopped; go on with `recsys train --resume {name}`.")


def _status(run: dict[str, Any]) -> str:
    marks = [
        *(["champion"] if run["champion"] else []),
        *([] if run["logged"] else ["not in MLflow"]),
        *([] if run["here"] else ["no folder here"]),
    ]
    return ", ".join([str(run["status"]), *marks])


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

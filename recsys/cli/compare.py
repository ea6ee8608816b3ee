"""``recsys compare``: runs side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli import completion
from recsys.cli.reports.format import gap, half, options
from recsys.cli.run_option import DatasetOption, SourceOption
from recsys.cli.session import Session, command
from recsys.errors import InputError, RecsysError
from recsys.storage.home import Home

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from recsys.tracking.comparison import Comparison, PerUser
    from recsys.tracking.mlflow_tracker import MlflowTracker
    from recsys.tracking.summary import Summary


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(compare)


def compare(
    session: Session,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, current or champion; default: all of the dataset.", autocompletion=completion.runs
        ),
    ] = None,
    dataset: DatasetOption = None,
    metric: Annotated[str, typer.Option("--metric", help="What to sort by.")] = "ndcg@10",
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page, in one file.")] = None,
    source: SourceOption = "folders",
) -> None:
    """Compare runs of one split: intervals, paired differences, and what was done differently."""
    from recsys.tracking.comparison import compare as side_by_side
    from recsys.tracking.mlflow_tracker import MlflowTracker

    tracker = MlflowTracker(session.home, session.warn)
    ask = source == "mlflow"
    chosen = _named(session, tracker, runs, dataset, ask) if runs else _all(session, tracker, dataset, ask)
    with tempfile.TemporaryDirectory() as folder:
        found = side_by_side(chosen, metric, _per_user(session.home, tracker, Path(folder)))
    if html is not None:
        from recsys.cli.reports.compare_html import page
        from recsys.storage.files import write_text

        write_text(html, page(found))
        session.say(f"wrote {html}")
    session.show(found.document(), lambda console: _render(console, found))


def _finished(session: Session, tracker: MlflowTracker, ask_mlflow: bool) -> list[Summary]:
    from recsys.tracking.run_list import list_runs

    found = list_runs(session.home, tracker, session.warn, ask_mlflow=ask_mlflow)
    return [run for run in found.runs if run.status == "finished"]


def _named(
    session: Session, tracker: MlflowTracker, names: Sequence[str], dataset: str | None, ask: bool
) -> list[Summary]:
    meant = [
        name if name not in ("current", "champion") else session.home.folder("run", name, dataset).name
        for name in names
    ]
    by_name = {run.run: run for run in _finished(session, tracker, ask)}
    if not by_name.keys() >= set(meant) and not ask:  # others may have logged them
        by_name = {run.run: run for run in _finished(session, tracker, ask_mlflow=True)}
    for name in meant:
        if name not in by_name:
            there = ", ".join(list(by_name)[:10]) or "none"
            raise InputError(f"there is no finished run {name!r}; there are: {there}; see `recsys runs`")
        if dataset not in (None, by_name[name].dataset):
            raise InputError(f"run {name} is of dataset {by_name[name].dataset}, not of {dataset}")
    return [by_name[name] for name in dict.fromkeys(meant)]


def _all(session: Session, tracker: MlflowTracker, name: str | None, ask: bool) -> list[Summary]:
    from recsys.data.dataset import Dataset

    dataset = Dataset.open(session.home, name)
    found = [run for run in _finished(session, tracker, ask) if run.split_hash == dataset.split_hash]
    if not found:
        raise InputError(
            f"there is no finished run on {dataset.name} as it is split now; make one with "
            f"`recsys train --dataset {dataset.name}`, or name runs (`recsys runs` lists them)"
        )
    return found


def _per_user(home: Home, tracker: MlflowTracker, fetched: Path) -> PerUser:
    """Read values per user from the run folder, or from MLflow if there is none here."""

    def read(run: str, file: str) -> pl.DataFrame | None:
        import polars as pl

        folder = home.runs / run / "evaluation"
        try:
            if not folder.is_dir():
                folder = fetched / run / "evaluation"
            if not folder.is_dir():
                folder = tracker.fetch(run, fetched / run)
            return pl.read_parquet(folder / f"{file}.parquet")
        except (OSError, RecsysError, pl.exceptions.PolarsError):
            return None  # the comparison says which one is missing

    return read


def _render(console: Console, found: Comparison) -> None:
    from recsys.cli.table import Column, show

    console.print(f"{found.dataset}, split {found.split_hash[:8]}: {found.metric} on the test set")
    rows = found.rows
    values = [f"{row.value:.4f}" + (f" ± {half(*row.interval)}" if row.interval else "") for row in rows]
    seconds = ["-" if row.seconds is None else f"{row.seconds:.1f}" for row in rows]
    sizes = ["-" if row.size is None else f"{row.size / 1e6:.1f}" for row in rows]
    against = f"to {found.best_baseline}"
    to_baseline = Column(against, [gap(row.to_baseline) for row in rows], rank=1, right=True)
    left_out = show(
        console,
        [
            Column("#", [str(rank) for rank in range(1, len(rows) + 1)], right=True),
            Column("run", [row.name for row in rows], folds=True),
            Column(found.metric, values, right=True),
            Column("to the best", [gap(row.to_best) for row in rows], rank=2, right=True),
            *([to_baseline] if found.best_baseline else []),
            Column("fit s", seconds, rank=3, right=True),
            Column("MB", sizes, rank=4, right=True),
        ],
    )
    if any(row.options for row in rows):
        console.print("what differs, of what was given or chosen:")
    for rank, row in enumerate(rows, start=1):
        if row.options:
            text = options(row.options)
            console.print(
                fill(text, console.width, initial_indent=f"{rank:>3}  ", subsequent_indent=" " * 5),
                markup=False,
            )
    explained = f"To the best, {against} (the best baseline)" if found.best_baseline else "To the best"
    console.print(
        f"±: half of the 95 % interval over users. {explained}: mean paired difference; "
        "* where its interval leaves out 0."
    )
    if left_out:
        console.print(f"no room for: {', '.join(left_out)}")
    for note in found.notes:
        console.print(f"note: {note}", markup=False)

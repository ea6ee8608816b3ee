"""``recsys compare``: runs side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from recsys.cli.session import Session, command
from recsys.errors import InputError, RecsysError
from recsys.home import Home

if TYPE_CHECKING:
    import polars as pl

    from recsys.tracking.comparison import Comparison, PerUser
    from recsys.tracking.mlflow_tracker import MlflowTracker
    from recsys.tracking.summary import Summary


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(compare)


def compare(
    session: Session,
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names, current or champion; all of the current dataset.")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="What to sort by.")] = "ndcg@10",
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page, in one file.")] = None,
) -> None:
    """Compare runs of one split: intervals, paired differences, and what was done differently."""
    from recsys.tracking.catalogue import catalogue
    from recsys.tracking.comparison import compare as side_by_side
    from recsys.tracking.mlflow_tracker import MlflowTracker

    tracker = MlflowTracker(session.home, session.warn)
    known = [run for run in catalogue(session.home, tracker, session.warn).runs if run.status == "finished"]
    chosen = _named(runs, known, session.home) if runs else _of_current_dataset(known, session.home)
    with tempfile.TemporaryDirectory() as folder:
        found = side_by_side(chosen, metric, _per_user(session.home, tracker, Path(folder)))
    if html is not None:
        from recsys.cli.compare_page import page
        from recsys.files import write_text

        write_text(html, page(found))
        session.say(f"wrote {html}")
    session.show(found.document(), lambda console: _render(console, found))


def _named(names: Sequence[str], known: list[Summary], home: Home) -> list[Summary]:
    by_name = {run.run: run for run in known}
    found = []
    for name in names:
        meant = {"current": home.current("run"), "champion": home.champion()}.get(name, name)
        if meant not in by_name:
            there = ", ".join(list(by_name)[:10]) or "none"
            raise InputError(f"there is no finished run {name!r}; there are: {there}; see `recsys runs`")
        found.append(by_name[meant])
    return list({run.run: run for run in found}.values())


def _of_current_dataset(known: list[Summary], home: Home) -> list[Summary]:
    from recsys.data.dataset import Dataset

    dataset = Dataset.open(home)
    found = [run for run in known if run.split_hash == dataset.split_hash]
    if not found:
        raise InputError(
            f"there is no finished run on {dataset.name} as it is split now; make one with `recsys train`, "
            "or name runs (`recsys runs` lists them)"
        )
    return found


def _per_user(home: Home, tracker: MlflowTracker, fetched: Path) -> PerUser:
    """Values a user, from the run folder where it is here, else from MLflow."""

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
    console.print(f"{found.dataset}, split {found.split_hash[:8]}: {found.metric} on the test part")
    table = Table(box=None, pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("run", overflow="fold")
    for name in (found.metric, "to the best", "to als", "fit s", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    for rank, row in enumerate(found.rows, start=1):
        table.add_row(
            str(rank), row.name,
            f"{row.value:.4f}" + (f" ± {half(*row.interval)}" if row.interval else ""),
            gap(row.to_best), gap(row.to_reference),
            "-" if row.seconds is None else f"{row.seconds:.1f}",
            "-" if row.size is None else f"{row.size / 1e6:.1f}",
        )  # fmt: skip
    console.print(table)
    if any(row.options for row in found.rows):
        console.print("what differs:")
    for rank, row in enumerate(found.rows, start=1):
        if row.options:
            console.print(f"{rank:>3}  {options(row.options)}", markup=False)
    console.print(
        "±: half of the 95 % interval over users. To the best, to als: mean paired difference; "
        "* where its interval leaves out 0."
    )
    for note in found.notes:
        console.print(f"note: {note}", markup=False)


def options(differing: Mapping[str, str]) -> str:
    """Options that differ between the rows, in one line."""
    return ", ".join(f"{key}={value}" for key, value in sorted(differing.items()))


def gap(difference: Mapping[str, float] | None) -> str:
    """A difference with half of its interval; a star where the interval leaves out 0.

    Example:
        >>> gap({"mean": -0.02, "low": -0.03, "high": -0.01}), gap({"mean": 0.0, "low": -0.01, "high": 0.01})
        ('-0.0200 ± 0.0100*', '+0.0000 ± 0.0100 ')
    """
    if difference is None:
        return "- "
    star = "*" if difference["low"] > 0 or difference["high"] < 0 else " "
    return f"{difference['mean']:+.4f} ± {half(difference['low'], difference['high'])}{star}"


def half(low: float, high: float) -> str:
    """Half of an interval."""
    return f"{(high - low) / 2:.4f}"

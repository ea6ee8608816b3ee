"""``recsys evaluate``: compute the metrics of a run again, from its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from recsys.cli.reports.roc import pair_quality, pair_quality_text
from recsys.cli.run_option import DatasetOption, RunArgument, RunNamed, run_folder
from recsys.cli.session import Session, command
from recsys.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from rich.console import Console

    from recsys.data.tables import Split
    from recsys.storage.run_folder import RunFolder


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(evaluate)


def evaluate(
    session: Session,
    run: RunArgument = None,
    named: RunNamed = None,
    dataset: DatasetOption = None,
    index: Annotated[
        str,
        typer.Option(
            "--index",
            metavar="KIND",
            help="What ranks: the run's metrics are exact; see `recsys parts indexes`.",
        ),
    ] = "exact",
    roc: Annotated[
        bool, typer.Option("--roc", help="Also tell test pairs from unobserved ones: AUC and thresholds.")
    ] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw that curve to a file.")] = None,
    by: Annotated[
        Literal["activity", "history"] | None,
        typer.Option(
            "--by",
            help="activity: by quarters of users, the least active first. history: also serve test users by "
            "the newest 1, 2, 5, ... items alone.",
        ),
    ] = None,
    warm_up: Annotated[
        int,
        typer.Option(
            "--warm-up", metavar="N", min=0, help="Also score cold users, served by their first N test rows."
        ),
    ] = 0,
) -> None:
    """Score a run on the test set again: rank all items for every test user, seen items left out.

    With --by activity nothing is ranked: the values per user that the run keeps are averaged by group.
    """
    from recsys.embeddings import Embeddings
    from recsys.evaluation.evaluate import evaluate as score
    from recsys.evaluation.names import DEFAULT
    from recsys.evaluation.record import Verdict
    from recsys.evaluation.truth import Truth
    from recsys.pipeline.scoring import history_curve, of_known, served, unseen_of, warmed_up
    from recsys.retrieval.index.store import open_index
    from recsys.retrieval.serving_files import read_seen
    from recsys.storage.run_folder import RunFolder

    folder = RunFolder(run_folder(session, named, dataset, run))
    if by == "activity":
        if index != "exact" or roc or svg:
            raise InputError("--by activity averages what the run keeps; leave --index, --roc and --svg out")
        return _by_group(session, folder, by)
    folder.verify()
    manifest = folder.manifest()
    split = _split(session, folder, manifest)
    model = Embeddings.load(folder.model)
    ranked_by = open_index(folder.index, model.items, model.distance, index, sealed=True)
    unseen = unseen_of(split, model)
    truth = unseen.truth if unseen else Truth.of(split.test, model.user_ids, model.item_ids)
    session.say(f"ranking {len(model.items):,} items for {len(truth):,} test users")
    metrics = tuple(manifest["metrics"]) or DEFAULT
    learned = read_seen(folder.seen, len(model.users)).learned_rows()
    view, seed = unseen.view(model) if unseen else model, int(manifest.get("seed", 0))
    seen = unseen.seen if unseen else learned
    with session.progress("users", len(truth)) as advance:
        found = score(view, truth, seen, index=ranked_by, metrics=metrics, train=learned, advance=advance)
    beside: dict[str, Any] = {"fold_in": served(unseen)} if unseen else {}
    if by == "history":
        beside["history_curve"] = history_curve(
            unseen or of_known(split, model.item_ids), model, metrics, seed
        )
    if warm_up:
        beside["warm_up"] = warmed_up(model, split.test, warm_up, metrics, learned, seed)
    verdict = Verdict.of(found, seed, beside)
    document = {
        "run": folder.name,
        "dataset": manifest["dataset"]["name"],
        "index": index,
        **verdict.document(),
    }
    if roc or svg:
        document["roc"] = pair_quality(view, truth, seen, f"run {folder.name}", svg)
    session.show(document, lambda console: _render(console, document, manifest["metrics"]))


def _by_group(session: Session, folder: RunFolder, by: str) -> None:
    from recsys.evaluation.groups import by_group

    table = by_group(folder, by)
    document = {"run": folder.name, "by": by, "groups": table.to_dicts()}
    session.show(document, lambda console: _render_groups(console, table, by))


def _render_groups(console: Console, table: pl.DataFrame, by: str) -> None:
    from rich import box
    from rich.table import Table

    for metric in table["metric"].unique(maintain_order=True):
        shown = Table(title=f"{metric} by {by}", title_justify="left", box=box.SIMPLE_HEAD)
        for name in ("items chosen", "users", "model", "value", "95 % interval"):
            shown.add_column(name, justify="left" if name == "model" else "right")
        for row in table.filter(metric=metric).iter_rows(named=True):
            interval = "-" if row["low"] is None else f"{row['low']:.4f} to {row['high']:.4f}"
            shown.add_row(row["group"], f"{row['users']:,}", row["model"], _number(row["value"]), interval)
        console.print(shown)


def _split(session: Session, folder: RunFolder, manifest: Mapping[str, Any]) -> Split:
    from recsys.data.dataset import Dataset

    if manifest.get("refit") == "all":
        raise InputError(
            f"run {folder.name} was fitted to its test set too (--refit all), so there is nothing to score "
            "it on; `recsys runs` shows the metrics of the fit before"
        )
    wanted = manifest["dataset"]
    dataset = Dataset.open(session.home, wanted["name"])
    if dataset.split_hash != wanted["split_hash"]:
        raise InputError(
            f"run {folder.name} was fitted to split {wanted['split_hash'][:12]} of dataset {dataset.name}, "
            f"which now is {dataset.split_hash[:12]}; train on that one, or make the old one again"
        )
    return dataset.split()


def _render(console: Console, document: Mapping[str, Any], before: Mapping[str, float | None]) -> None:
    from rich import box
    from rich.table import Table

    from recsys.cli.unseen_report import render_unseen

    table = Table(
        title=f"run {document['run']}, {document['index']} index", title_justify="left", box=box.SIMPLE_HEAD
    )
    for name in ("metric", "value", "95 % interval", "in the run"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    for name, value in document["metrics"].items():
        low, high = document["intervals"][name]
        interval = "-" if low is None or high is None else f"{low:.4f} to {high:.4f}"
        table.add_row(name, _number(value), interval, _number(before.get(name)))
    console.print(table)
    counts = document["counts"]
    console.print(
        f"{counts['users']:,} users scored on {counts['test_rows']:,} test interactions, of which "
        f"{counts['unknown_rows']:,} with {counts['unknown_items']:,} items unknown to train are misses; "
        f"{counts['cold_users']:,} cold users ({counts['cold_rows']:,} interactions) are left out."
    )
    render_unseen(console, {f"run {document['run']}": document})
    if "roc" in document:
        console.print(pair_quality_text(document["roc"]), markup=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

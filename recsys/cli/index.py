"""``recsys index build`` and ``recsys index verify``: choose an index by its recall, and measure it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.run_option import DatasetOption, RunArgument, RunNamed, run_folder
from recsys.cli.session import Session, command
from recsys.errors import InputError, RecsysError

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Build the index of a run for a target recall, or verify it.", no_args_is_help=True
    )
    command(group, plugins=True)(build)
    command(group, plugins=True)(verify)
    app.add_typer(group, name="index")


def build(
    session: Session,
    run: RunArgument = None,
    named: RunNamed = None,
    dataset: DatasetOption = None,
    target_recall: Annotated[
        float,
        typer.Option("--target-recall", help="Share of the true list that an approximate one must hold."),
    ] = 0.95,
    k: Annotated[int, typer.Option("-k", help="Length of the lists that the promise is about.")] = 20,
    index: Annotated[
        str,
        typer.Option(
            "--index",
            metavar="KIND",
            help="auto (exact ranking if that is about as fast), or a kind of `recsys parts indexes`.",
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Of the index and of the users measured.")] = 0,
) -> None:
    """Choose the cheapest setting that meets a target recall on real users, and write it with its curve."""
    from recsys.embeddings import Stored
    from recsys.retrieval.index.store import save_index
    from recsys.retrieval.index.tuning import choose
    from recsys.retrieval.serving_files import read_seen
    from recsys.storage.run_folder import RunFolder

    folder = RunFolder(run_folder(session, named, dataset, run))
    folder.verify(without="index")
    model = Stored.open(folder.model)
    seen = read_seen(folder.seen, len(model.user_ids)).rows
    session.say(f"measuring recall@{k} of {target_recall:g} on users of run {folder.name}")
    with session.progress("trying settings"):
        chosen = choose(
            model.items, model.users, seen, model.distance, target=target_recall, k=k, kind=index, seed=seed
        )
    save_index(folder.index, chosen.kind, chosen.index, model.items, chosen.promise)
    folder.seal()
    document = {"run": folder.name, **chosen.summary, "why": chosen.why, "curve": chosen.promise["curve"]}
    session.show(document, lambda console: _render(console, document, k))


def verify(
    session: Session, run: RunArgument = None, named: RunNamed = None, dataset: DatasetOption = None
) -> None:
    """Measure the recall of a run's index again, on other users; exit 1 where the promise is not kept."""
    from recsys.embeddings import Stored
    from recsys.retrieval.index import tuning
    from recsys.retrieval.index.store import open_index, read_manifest
    from recsys.retrieval.serving_files import read_seen
    from recsys.storage.run_folder import RunFolder

    folder = RunFolder(run_folder(session, named, dataset, run))
    folder.verify(deep=True)
    model, manifest = Stored.open(folder.model), read_manifest(folder.index)
    missing = {"target", "k", "seed"} - set(manifest)
    if missing:
        raise InputError(
            f"the index of run {folder.name} promises no recall; build it with `recsys index build`"
        )
    index = open_index(folder.index, model.items, model.distance)
    found = tuning.verify(
        index,
        model.items,
        model.users,
        read_seen(folder.seen, len(model.user_ids)).rows,
        model.distance,
        k=manifest["k"],
        seed=manifest["seed"],
    )
    name, target = f"recall@{manifest['k']}", manifest["target"]
    document = {
        "run": folder.name, "kind": manifest["kind"], "target": target,
        "promised": manifest[name], name: found.recall,
        "p50_ms": found.p50_ms, "p95_ms": found.p95_ms, "kept": found.recall >= target,
    }  # fmt: skip
    session.show(document, lambda console: console.print(_line(document, name), markup=False))
    if found.recall < target:
        raise RecsysError(
            f"the index of run {folder.name} has {name} {found.recall:.4f}, it promised {target:g}; "
            "build it again with `recsys index build`"
        )


def _line(document: dict[str, Any], name: str) -> str:
    return (
        f"{document['kind']} index of run {document['run']}: {name} {document[name]:.4f} on users it was not "
        f"chosen on (promised {document['target']:g}), a query takes {document['p50_ms']:.2f} ms "
        f"(p95 {document['p95_ms']:.2f} ms)"
    )


def _render(console: Console, document: dict[str, Any], k: int) -> None:
    from rich import box
    from rich.table import Table

    table = Table(title=f"run {document['run']}: settings tried", title_justify="left", box=box.SIMPLE_HEAD)
    measured = ("recall", "error", "p50_ms", "p95_ms", "batch_ms")
    options = list(
        dict.fromkeys(name for point in document["curve"] for name in point if name not in measured)
    )
    for name in (*options, f"recall@{k}", "p50 ms", "p95 ms"):
        table.add_column(name, justify="right")
    for point in document["curve"]:
        table.add_row(
            *(str(point.get(name, "")) for name in options), f"{point['recall']:.4f}",
            f"{point['p50_ms']:.3f}", f"{point['p95_ms']:.3f}",
        )  # fmt: skip
    if document["curve"]:
        console.print(table)
    settings = ", ".join(f"{name} {value}" for name, value in document["options"].items())
    console.print(
        f"chosen: {document['kind']}{f' ({settings})' if settings else ''}, "
        f"recall@{k} {document[f'recall@{k}']:.4f} on other users, "
        f"{document['p50_ms']:.2f} ms per query: {document['why']}",
        markup=False,
    )

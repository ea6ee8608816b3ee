"""``recsys export``: lists for every user, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from recsys.cli.recommend import IndexOption
from recsys.cli.run_option import DatasetOption, RunOption, run_folder
from recsys.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(export)


def export(
    session: Session,
    out: Annotated[
        str,
        typer.Argument(help="A .parquet, .csv or .jsonl file; a folder with --part-rows; a path or a URL."),
    ],
    k: Annotated[int, typer.Option("-k", help="Length of a list.")] = 50,
    run: RunOption = "current",
    dataset: DatasetOption = None,
    users: Annotated[
        Path | None, typer.Option("--users", help="File of user ids: one per line, or a column user.")
    ] = None,
    part_rows: Annotated[
        int | None, typer.Option("--part-rows", help="Write a folder of parts of at most so many rows.")
    ] = None,
    index: IndexOption = "auto",
    purpose: Annotated[
        Literal["serving", "evaluation"],
        typer.Option(
            "--for",
            help="serving leaves out all that is known of a user; evaluation only train and valid, as it is "
            "scored.",
        ),
    ] = "serving",
) -> None:
    """Write the best items of every user: columns user, item, rank, score.

    An export that was stopped continues at its first missing part. With --index auto the index that ranks
    many users faster is taken, as measured when it was built; the exact one for evaluation.
    """
    from recsys.columns import USER
    from recsys.embeddings import Stored
    from recsys.retrieval.export import export as write
    from recsys.retrieval.id_lists import read_ids
    from recsys.storage.run_folder import RunFolder

    folder = run_folder(session, run, dataset)
    wanted = None if users is None else read_ids(users, USER)
    total = len(Stored.open(RunFolder(folder).model).user_ids) if wanted is None else len(wanted)
    with session.progress("users", total) as advance:
        manifest = write(
            folder, out,
            k=k, users=wanted, part_rows=part_rows, index=index, purpose=purpose, advance=advance,
        )  # fmt: skip
    if manifest["unknown_users"]:
        session.warn(f"{manifest['unknown_users']} users in {users} are unknown to the run and left out")
    if manifest["k"] < k:
        session.say(f"note: lists are shorter than {k}: the catalogue has {manifest['k']} items")
    session.show(manifest, lambda console: _render(console, out, manifest))


def _render(console: Console, out: str, manifest: dict[str, Any]) -> None:
    index, files = manifest["index"], manifest["files"]
    recall = next((f", measured {key} {index[key]:.3f}" for key in index if key.startswith("recall@")), "")
    size = sum(file["bytes"] for file in files)
    console.print(
        f"{out}: {manifest['rows']:,} rows for {manifest['users']:,} users of run {manifest['run']}, "
        f"in {len(files)} {'file' if len(files) == 1 else 'files'} of {size / 1e6:,.1f} MB "
        f"({index['kind']}{recall}); manifest: {out}.manifest.json",
        markup=False,
    )

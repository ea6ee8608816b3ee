"""``recsys similar``: the nearest items of an item, or users of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.run_option import DatasetOption, RunOption, run_folder
from recsys.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(similar)


def similar(
    session: Session,
    item: Annotated[str | None, typer.Option("--item", help="An item id: its nearest items.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="A user id: its nearest users.")] = None,
    k: Annotated[int, typer.Option("-k", help="Length of the list.")] = 10,
    run: RunOption = "current",
    dataset: DatasetOption = None,
) -> None:
    """List the nearest items or users, by the model's own distance.

    Models that score by the inner product (als, spectral, popularity) are compared by cosine here: the inner
    product of two items grows with their length, so popular items would be near to everything.
    """
    from recsys.retrieval.recommender import Service

    service = Service.open(run_folder(session, run, dataset), "exact")
    rows = [each.document() for each in service.similar(item=item, user=user, k=k)]
    asked = {"item": item} if item is not None else {"user": user}
    if len(rows) < k:
        session.say(f"note: the list is shorter than {k}: the run has no more {next(iter(asked))}s")
    session.show({"run": service.run.name, **asked, "similar": rows}, lambda console: _render(console, rows))


def _render(console: Console, rows: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    names = [name for name in ("rank", "item", "user", "title", "score") if any(name in row for row in rows)]
    for name in names:
        table.add_column(name, justify="right" if name in ("rank", "score") else "left")
    for row in rows:
        cells = {**row, "rank": str(row["rank"]), "score": f"{row['score']:.4f}"}
        table.add_row(*(escape(cells.get(name, "")) for name in names))
    console.print(table)

"""``recsys similar``: the nearest items of an item, or users of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.recommend import RunOption
from recsys.cli.session import Session, command
from recsys.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(similar)


def similar(
    session: Session,
    item: Annotated[str | None, typer.Option("--item", help="An item id: its nearest items.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="A user id: its nearest users.")] = None,
    k: Annotated[int, typer.Option("-k", help="Length of the list.")] = 10,
    run: RunOption = "current",
) -> None:
    """List the nearest items or users, by the model's own distance.

    Models that score by the inner product (als, spectral, popularity) are asked by cosine here: the inner
    product of two items grows with their length, so popular items would be near to everything.
    """
    from recsys.retrieval.service import Service

    if (item is None) == (user is None):
        raise InputError("similar is for --item ID or for --user ID: give one of them")
    service = Service.open(session.home.folder("run", run), "exact")
    if item is not None:
        kind, key, listed = "items", item, service.similar_items(item, k)
        rows = [
            {"rank": each.rank, "item": each.item, "title": each.title, "score": each.score}
            for each in listed
        ]
    else:
        kind, key, near = "users", user or "", service.similar_users(user or "", k)
        rows = [{"rank": rank, "user": each, "score": score} for rank, each, score in near]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    if len(rows) < k:
        session.say(f"note: the list is shorter than {k}: the run has no more {kind}")
    session.show(
        {"run": service.run.name, kind[:-1]: key, "similar": rows}, lambda console: _render(console, rows)
    )


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

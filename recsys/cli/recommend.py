"""``recsys recommend``: lists for users, or for a history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from recsys.cli.run_option import DatasetOption, RunOption, run_folder
from recsys.cli.session import Session, command
from recsys.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from recsys.retrieval.filters import NamedIds
    from recsys.retrieval.recommender import Recommendation, Service


UnknownChoice = Literal["error", "popular", "skip"]

IndexOption = Annotated[
    str,
    typer.Option(
        "--index",
        metavar="KIND",
        help="What ranks: auto (what the run chose when it was built), or a kind of `recsys parts indexes`.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(recommend)


def recommend(
    session: Session,
    user: Annotated[list[str] | None, typer.Option("--user", help="A user id; repeats.")] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(
            "--history",
            metavar="ITEM,...",
            help="Items of an unseen user, oldest first; repeats. Quote an id with a comma as in CSV.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Length of a list.")] = 10,
    run: RunOption = "current",
    dataset: DatasetOption = None,
    with_seen: Annotated[
        bool, typer.Option("--with-seen", help="Keep items that are known of the user.")
    ] = False,
    unknown: Annotated[
        UnknownChoice, typer.Option("--unknown", help="For users the run does not know.")
    ] = "error",
    exclude: Annotated[
        Path | None,
        typer.Option("--exclude", help="File of item ids to leave out: one per line, or a column item."),
    ] = None,
    only: Annotated[
        Path | None,
        typer.Option("--only", help="File of item ids to keep to: one per line, or a column item."),
    ] = None,
    index: IndexOption = "auto",
) -> None:
    """Recommend items to users.

    All that the dataset knows of a user is left out: train, valid, test, and rows below --positive-from.
    """
    from recsys.retrieval.filters import rules_of
    from recsys.retrieval.id_lists import ids_of_text
    from recsys.retrieval.recommender import Service

    if bool(user) == bool(history):
        raise InputError("recommend is for --user ID (repeats) or for --history ITEM,ITEM: give one of them")
    service = Service.open(run_folder(session, run, dataset), index)
    catalogue = service.model.item_ids
    rules = rules_of(catalogue, _given(exclude), _given(only), session.warn)
    if history:
        items = [item for text in history for item in ids_of_text(text, catalogue)]
        one, missing = service.recommend_history(items, k, with_seen=with_seen, rules=rules)
        if missing:
            session.warn(
                f"{len(missing)} of {len(items)} items of the history are unknown: {', '.join(missing[:5])}"
            )
        lists = [one]
    else:
        lists = service.recommend(user or [], k, with_seen=with_seen, unknown=unknown, rules=rules)
        _account(session, service, user or [], unknown)
    _note_short(session, lists, k)
    session.show(
        {"run": service.run.name, "recommendations": [each.document() for each in lists]},
        lambda console: _render(console, lists),
    )


def _given(path: Path | None) -> NamedIds | None:
    from recsys.retrieval.filters import NamedIds
    from recsys.retrieval.id_lists import read_ids

    return None if path is None else NamedIds(str(path), read_ids(path))


def _account(session: Session, service: Service, users: list[str], unknown: UnknownChoice) -> None:
    from recsys.retrieval.filters import look_up

    missing = look_up(users, service.model.user_ids).unknown
    if missing:
        what = "are left out" if unknown == "skip" else "get the most popular items"
        session.warn(f"{len(missing)} users are unknown and {what}: {', '.join(missing[:5])}")


def _note_short(session: Session, lists: list[Recommendation], k: int) -> None:
    short = [each for each in lists if len(each.items) < k]
    if short:
        who = f"user {short[0].user!r}" if short[0].user is not None else "the history"
        session.say(
            f"note: {len(short)} of {len(lists)} lists are shorter than {k}: no more items are left "
            f"({who} has {len(short[0].items)})"
        )


def _render(console: Console, lists: list[Recommendation]) -> None:
    from rich.markup import escape
    from rich.table import Table

    for each in lists:
        titled = any(item.title for item in each.items)
        table = Table(title=None if each.user is None else f"user {escape(each.user)}", title_justify="left")
        table.add_column("rank", justify="right")
        table.add_column("item")
        if titled:
            table.add_column("title")
        table.add_column("score", justify="right")
        for item in each.items:
            title = [escape(item.title or "")] if titled else []
            table.add_row(str(item.rank), escape(item.item), *title, f"{item.score:.4f}")
        console.print(table)

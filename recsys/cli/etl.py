"""``recsys etl``: turn raw logs into a dataset; each row is kept or counted with its reason."""

from typing import Annotated, Any, Literal

import typer

from recsys.cli.session import Session, command

Text = str | None
Number = float | None

_LOG = "Log"
_MEANING = "Meaning"
_SPLIT = "Split"
_SIDE = "Side data"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(etl)


def _option(
    *names: str, panel: str, help_: str, default: str | None = None, metavar: str | None = None
) -> Any:
    shown: Any = default if default is not None else False
    return typer.Option(*names, help=help_, rich_help_panel=panel, show_default=shown, metavar=metavar)


def etl(
    session: Session,
    log: Annotated[
        list[str],
        typer.Argument(metavar="LOG...", help="Files, quoted globs, folders, or - for standard input."),
    ],
    name: Annotated[
        Text, _option(panel=_LOG, help_="Name of the dataset.", default="the file's or folder's own")
    ] = None,
    format_: Annotated[
        Text,
        _option(
            "--format",
            panel=_LOG,
            default="by extension and content",
            help_="csv, tsv, parquet, jsonl, dat, adjacency or movielens; each also packed.",
        ),
    ] = None,
    separator: Annotated[
        Text,
        _option(
            panel=_LOG,
            default="by content",
            help_="What separates fields: a character, several, or tab, comma, space (any number of them).",
        ),
    ] = None,
    header: Annotated[
        Literal["yes", "no"] | None,
        _option(panel=_LOG, help_="Whether the first line names columns.", default="by its words"),
    ] = None,
    user: Annotated[
        Text,
        _option(panel=_LOG, help_="Column of the user: a name, or a position from 0.", default="guessed"),
    ] = None,
    item: Annotated[Text, _option(panel=_LOG, help_="Column of the item.", default="guessed")] = None,
    time: Annotated[
        Text, _option(panel=_LOG, help_="Column of the time, or none.", default="guessed")
    ] = None,
    value: Annotated[
        Text, _option(panel=_LOG, help_="Column of the rating or weight, or none.", default="guessed")
    ] = None,
    time_format: Annotated[
        Text, _option(panel=_LOG, help_="strptime format of the time, as '%d.%m.%Y'.", default="detected")
    ] = None,
    max_rejects: Annotated[
        Text, _option(panel=_LOG, help_="Largest share of unusable rows.", default="5%")
    ] = None,
    positive_from: Annotated[
        Number, _option(panel=_MEANING, help_="Keep rows with at least this value; each then weighs 1.")
    ] = None,
    event: Annotated[
        Text, _option(panel=_MEANING, help_="Column of the kind of event.", default="guessed")
    ] = None,
    event_weights: Annotated[
        Text, _option(panel=_MEANING, metavar="KIND=WEIGHT,...", help_="As view=1,cart=3,purchase=10.")
    ] = None,
    half_life: Annotated[
        Text, _option(panel=_MEANING, help_="Age at which a weight is halved, as 90d (s m h d w y).")
    ] = None,
    keep: Annotated[
        list[str] | None,
        _option(panel=_MEANING, metavar="SQL", help_="Keep rows that meet it, as 'Quantity > 0'; repeats."),
    ] = None,
    since: Annotated[Text, _option(panel=_MEANING, help_="First moment kept, as 2024-01-31.")] = None,
    until: Annotated[Text, _option(panel=_MEANING, help_="First moment no longer kept.")] = None,
    min_user: Annotated[
        int | None, _option(panel=_MEANING, help_="Fewest train rows of a user.", default="1")
    ] = None,
    min_item: Annotated[
        int | None, _option(panel=_MEANING, help_="Fewest train rows of an item.", default="1")
    ] = None,
    on_repeat: Annotated[
        Text,
        _option(panel=_MEANING, help_="What a repeated pair becomes: last, first or sum.", default="last"),
    ] = None,
    split: Annotated[
        Text,
        _option(
            panel=_SPLIT,
            help_="time:0.2, last:1, random:0.2 or users:0.1.",
            default="time:0.2, without times random:0.2",
        ),
    ] = None,
    test: Annotated[
        Text, _option(panel=_SPLIT, metavar="FILE", help_="Test file of a split that came with the data.")
    ] = None,
    valid: Annotated[
        Number, _option(panel=_SPLIT, help_="Share of train held out as the validation set.", default="0.1")
    ] = None,
    seed: Annotated[int | None, _option(panel=_SPLIT, help_="Seed of random splits.", default="0")] = None,
    items: Annotated[
        Text, _option(panel=_SIDE, metavar="FILE", help_="Table of items: titles, genres, ...")
    ] = None,
    item_key: Annotated[
        Text, _option(panel=_SIDE, help_="Its column of the item.", default="guessed")
    ] = None,
    title: Annotated[Text, _option(panel=_SIDE, help_="Its column of the title.", default="guessed")] = None,
    users: Annotated[Text, _option(panel=_SIDE, metavar="FILE", help_="Table of users.")] = None,
) -> None:
    """Read raw logs into a dataset, HOME/datasets/NAME, and make it the current one."""
    from recsys.cli.reports.etl import report
    from recsys.data.etl.options import EtlOptions
    from recsys.data.etl.run import etl as run

    asked = {
        "logs": log, "name": name, "format": format_, "separator": separator,
        "header": None if header is None else header == "yes", "user": user, "item": item, "time": time,
        "value": value, "event": event, "event_weights": _weights(event_weights),
        "positive_from": positive_from, "half_life": half_life, "keep": keep, "since": since,
        "until": until, "min_user": min_user, "min_item": min_item, "on_repeat": on_repeat,
        "time_format": time_format, "split": split, "test": test, "valid": valid, "items": items,
        "item_key": item_key, "title": title, "users": users, "max_rejects": max_rejects, "seed": seed,
    }  # fmt: skip
    options = EtlOptions.of({key: each for key, each in asked.items() if each is not None})
    dataset = run(options, session.home, session.progress, session.say)
    session.show(dataset.manifest, lambda console: report(dataset, console))


def _weights(text: str | None) -> dict[str, float] | None:
    """``view=1,cart=3`` as a mapping."""
    from recsys.errors import InputError

    if text is None:
        return None
    weights: dict[str, float] = {}
    for part in text.split(","):
        kind, equals, number = part.rpartition("=")
        try:
            weights[kind.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals or not kind.strip():
            raise InputError(f"--event-weights has {part!r}; give KIND=WEIGHT, as view=1,cart=3,purchase=10")
    return weights

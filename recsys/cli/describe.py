"""``recsys describe``: what a dataset is like."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Console

from recsys.cli import completion
from recsys.cli.session import Session, command

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
WIDTH: Final = 36


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(describe)


def describe(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(
            help="Which dataset; the current one without it.",
            show_default=False,
            autocompletion=completion.datasets,
        ),
    ] = None,
) -> None:
    """Show counts, density, long tail, times, parts, and what is cold, with small plots."""
    from recsys.data.dataset import Dataset
    from recsys.data.description import describe as describe_dataset

    found = describe_dataset(Dataset.open(session.home, name))
    session.show(found, lambda console: _render(console, found))


def _render(console: Console, found: dict[str, Any]) -> None:
    lines = [
        f"{found['name']}: {found['interactions']:,} interactions of {found['users']:,} users "
        f"with {found['items']:,} items, density {found['density']:.3%}",
        "",
        *_parts(found),
        "",
        *_tail(found["tail"]),
    ]
    if found["titled_items"] is not None:
        lines.append(f"{found['titled_items']:,} items have a title")
    lines += ["", *_histogram("users", found["per_user"]), "", *_histogram("items", found["per_item"])]
    if found["time"]:
        time = found["time"]
        lines += [
            "", f"times {time['from']} to {time['to']} ({time['days']:,.0f} days)",
            f"  {sparkline(time['spans'])}  interactions in {len(time['spans'])} equal spans",
        ]  # fmt: skip
    else:
        lines += ["", "the log has no times"]
    for line in lines:
        console.print(line, markup=False)


def _parts(found: dict[str, Any]) -> list[str]:
    lines = [
        f"{part:<6} {size['rows']:>12,} rows {size['users']:>10,} users {size['items']:>10,} items"
        for part, size in found["parts"].items()
    ]
    cold, rows = found["cold"], max(1, found["parts"]["test"]["rows"])
    split = (found["split"] or {}).get("name", "unknown")
    return [
        f"split {split}",
        *lines,
        f"cold in test: {cold['users']:,} users ({cold['users_rows'] / rows:.1%} of its rows), "
        f"{cold['items']:,} items ({cold['items_rows'] / rows:.1%})",
    ]


def _tail(tail: dict[str, float]) -> list[str]:
    return [
        f"top  1 % of items {bar(tail['top_1_percent'])} {tail['top_1_percent']:.1%} of the interactions",
        f"top 10 % of items {bar(tail['top_10_percent'])} {tail['top_10_percent']:.1%}",
        f"Gini: items {tail['gini_items']:.3f}, users {tail['gini_users']:.3f}",
    ]


def _histogram(title: str, spread: dict[str, Any]) -> list[str]:
    steps = spread["histogram"]
    most = max(step["count"] for step in steps)
    return [
        f"interactions by {title}: least {spread['least']:,}, median {spread['median']:,.0f}, "
        f"mean {spread['mean']:,.1f}, 90 % below {spread['p90']:,.0f}, most {spread['most']:,}",
        *(
            f"  {span(step['from']):>15} {bar(step['count'] / most)} {step['count']:,}"
            for step in steps
            if step["count"]
        ),
    ]


def span(first: int) -> str:
    """Numbers from ``first`` to below its double.

    Example:
        >>> span(1), span(4)
        ('1', '4-7')
    """
    return str(first) if first == 1 else f"{first:,}-{2 * first - 1:,}"


def bar(share: float) -> str:
    """A bar of at most ``WIDTH`` characters, to an eighth of one.

    Example:
        >>> bar(0.5).rstrip() == "█" * 18
        True
    """
    eighths = max(1, round(share * WIDTH * 8)) if share > 0 else 0
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()).ljust(WIDTH)


def sparkline(values: list[int]) -> str:
    """One character per value, as high as its share of the largest; only 0 is blank.

    Example:
        >>> sparkline([0, 1, 4, 8])
        ' ▁▄█'
    """
    most = max(values, default=0) or 1
    return "".join(BLOCKS[-(-8 * value // most)] for value in values)

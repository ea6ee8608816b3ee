"""A table that fits its terminal: columns are left out by their rank, figures and names are never cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP: Final = 2
# The narrowest that a column of names becomes before another column is left out.
NAMES: Final = 20


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        title: Its heading.
        cells: One text per row.
        rank: Columns with the highest rank are left out first, those of rank 0 never.
        right: Whether it is set to the right, as figures are.
        folds: Whether long cells take several lines where the terminal is narrow, as names do.
    """

    title: str
    cells: Sequence[str]
    rank: int = 0
    right: bool = False
    folds: bool = False

    @property
    def width(self) -> int:
        """Width of the widest line."""
        return max(cell_len(line) for text in (self.title, *self.cells) for line in text.split("\n"))

    @property
    def least(self) -> int:
        """Smallest width that it can have."""
        return min(self.width, max(NAMES, cell_len(self.title))) if self.folds else self.width


def show(console: Console, columns: Sequence[Column]) -> list[str]:
    """Print the columns that fit; returns the titles of those that do not."""
    kept = list(columns)
    while sum(column.least + GAP for column in kept) - GAP > console.width:
        if not (droppable := [column for column in kept if column.rank]):
            break
        kept.remove(max(droppable, key=lambda column: column.rank))
    spare = (
        console.width + GAP - sum((column.least if column.folds else column.width) + GAP for column in kept)
    )
    table = Table(box=None, pad_edge=False)
    cells = []
    for column in kept:
        width = column.width
        if column.folds:
            width = max(1, min(column.width, column.least + spare))
            spare -= width - column.least
        table.add_column(
            column.title, justify="right" if column.right else "left", width=width, overflow="fold"
        )
        cells.append([folded(cell, width) if column.folds else cell for cell in column.cells])
    for row in zip(*cells, strict=True):
        table.add_row(*map(Text, row))
    console.print(table)
    return [column.title for column in columns if column not in kept]


def abreast(titles: Sequence[str], room: int, least: int = 7) -> list[Sequence[str]]:
    """Columns of figures in as few tables as have room for them, about as many in each.

    Args:
        titles: Of the columns.
        room: For their columns, each with 3 more between it and the next.
        least: Width of a figure.

    Example:
        >>> abreast(["recall@10", "recall@20", "ndcg@10", "ndcg@20"], 30)
        [['recall@10', 'recall@20'], ['ndcg@10', 'ndcg@20']]
    """
    parts: list[Sequence[str]] = [titles]
    for tables in range(1, len(titles) + 1):
        size = -(-len(titles) // tables)
        parts = [titles[start : start + size] for start in range(0, len(titles), size)]
        if all(sum(max(cell_len(title), least) + 3 for title in part) <= room for part in parts):
            break
    return parts


def folded(text: str, width: int) -> str:
    r"""Lines of at most ``width``, broken after a hyphen, a dot or a space if there is one.

    Example:
        >>> folded("two-tower-triplet-20261127-234640-3dfb", 20).split("\n")
        ['two-tower-triplet-', '20261127-234640-3dfb']
    """
    lines = [""]
    for piece in re.findall(r"[^-. ]*[-. ]?", text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip(" ") for line in lines)

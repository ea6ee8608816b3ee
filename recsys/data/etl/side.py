"""What is known about items and users, beside the log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.columns import ITEM, TITLE
from recsys.data.etl.marks import FAULT
from recsys.data.etl.names import NONE, USUAL, column, guess, listed, normal
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.sources import find
from recsys.data.etl.table import Table, table
from recsys.errors import InputError
from recsys.ids import IdMap

_FLAGS = "unknown"  # the first of the genre columns of u.item
_GENRES = "genres"


@dataclass(frozen=True, slots=True)
class Side:
    """A table of items or users.

    Args:
        frame: The id first (``item`` or ``user``), ``title`` where there is one, then the other columns.
        key: Column of the file that holds the id.
        title: Column of the file that holds the title, or None.
        rows: Rows in the file.
        known: Ids of the log that the file has.
        files: The files, with their hashes.
    """

    frame: pl.DataFrame
    key: str
    title: str | None
    rows: int
    known: int
    files: list[Table]


def side(asked: str, part: str, ids: IdMap, options: EtlOptions, copies: Path) -> Side:
    """Read a table of items (``part`` is ``item``) or of users.

    A key that is not told is the column of a usual name that has most ids of the log. Of several rows of an
    id the first counts.

    Raises:
        InputError: If it cannot be read or its key is not there.
    """
    copies.mkdir(exist_ok=True)
    sources = find([asked], "auto").sources
    key, title = (options.item_key, options.title) if part == ITEM else (None, None)
    headed = True if any(isinstance(each, str) and not each.isdecimal() for each in (key, title)) else None
    tables = [table(source, copies, number, headed=headed) for number, source in enumerate(sources)]
    first = tables[0]
    where = str(first.source.path)
    frame = pl.concat(
        [each.frame.filter(pl.col(FAULT).is_null()).select(each.columns) for each in tables], how="diagonal"
    ).collect(engine="streaming")
    known = ids.ids.implode()
    if key is not None:
        chosen = column(key, first.columns, "--item-key", where)
    else:
        chosen = _key(frame, part, known, where)
    titled = None
    if part == ITEM and title != NONE:
        titled = (
            column(title, first.columns, "--title", where)
            if title is not None
            else guess(TITLE, first.columns)
        )
    frame = _genres(frame)
    named = frame.with_columns(
        pl.col(chosen).cast(pl.String).alias(part),
        *([pl.col(titled).cast(pl.String).alias(TITLE)] if titled else []),
    )
    lead = [part, *([TITLE] if titled else [])]
    rest = [name for name in frame.columns if name not in {*lead, chosen, titled}]
    kept = (
        named.filter(pl.col(part).is_not_null() & (pl.col(part) != ""))
        .select(*lead, *rest)
        .unique(part, keep="first", maintain_order=True)
    )
    matched = int(kept[part].is_in(known).sum())
    return Side(kept, chosen, titled, frame.height, matched, tables)


def _key(frame: pl.DataFrame, part: str, known: pl.Series, where: str) -> str:
    usual = [*USUAL[part], "id"]
    candidates = [name for name in frame.columns if normal(name) in usual]
    candidates = candidates or ([frame.columns[0]] if frame.columns[0].startswith("column_") else [])
    if not candidates:
        option = (
            "give --item-key, one of" if part == ITEM else "its key must be named user or user_id; it has"
        )
        raise InputError(
            f"{where}: no column has a usual name for the {part}; {option}: {listed(frame.columns)}"
        )
    return max(candidates, key=lambda name: int(frame[name].cast(pl.String).unique().is_in(known).sum()))


def _genres(frame: pl.DataFrame) -> pl.DataFrame:
    """The genre flags of u.item as one text, ``Comedy|Drama``."""
    if _FLAGS not in frame.columns or "Film-Noir" not in frame.columns:
        return frame
    flags = frame.columns[frame.columns.index(_FLAGS) :]
    named = [pl.when(pl.col(flag) == "1").then(pl.lit(flag)) for flag in flags]
    return frame.with_columns(pl.concat_str(named, separator="|", ignore_nulls=True).alias(_GENRES)).drop(
        flags
    )

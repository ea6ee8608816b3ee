"""What is known about items and users, beside the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recsys.columns import ITEM, TITLE, USER
from recsys.data.etl.column_names import USUAL, column, guess, listed, normal
from recsys.data.etl.merge import Merged
from recsys.data.etl.options import NONE, EtlOptions
from recsys.data.etl.parse import RawTable, parse
from recsys.data.etl.schema import FAULT, HARMLESS, LINE
from recsys.data.etl.sources import LogFiles, find
from recsys.errors import InputError
from recsys.ids import WHOLE_AS_FLOAT, IdMap, id_column

_FLAGS = "unknown"  # the first of the genre columns of u.item
_GENRES = "genres"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A table of items or users.

    Args:
        frame: The id first (``item`` or ``user``), ``title`` where there is one, then the other columns.
        key: Column of the file that holds the id.
        title: Column of the file that holds the title, or None.
        rows: Rows in the file.
        known: Ids of the log that the file has.
        files: The files, with their hashes.
        fault: What to say of rows that cannot be read; None where all can.
    """

    frame: pl.DataFrame
    key: str
    title: str | None
    rows: int
    known: int
    files: list[RawTable]
    fault: str | None


def write_metadata(
    folder: Path, merging: Merged, options: EtlOptions, found: LogFiles, note: Callable[[str], None]
) -> dict[str, Any]:
    """Write the tables of items and users, where there are any.

    Args:
        folder: Of the dataset.
        merging: The merged log, whose ids are looked up in the tables.
        options: What was asked for.
        found: Tables that were found beside the log.
        note: Takes what was guessed.

    Returns:
        What the manifest says of them.
    """
    described: dict[str, Any] = {}
    log = merging.log
    for part, plural, ids, asked in (
        (ITEM, "items", log.items, options.items or found.items),
        (USER, "users", log.users, options.users or found.users),
    ):
        if asked is None:
            continue
        copies = folder / "scratch" / plural
        side = _metadata(str(asked), part, ids, options, copies, whole=part in merging.whole)
        side.frame.write_parquet(folder / f"{plural}.parquet")
        described[plural] = {
            "files": [{"path": str(each.source), "sha256": each.plain.sha256} for each in side.files],
            "key": side.key,
            "title": side.title,
            "rows": side.rows,
            "kept": side.frame.height,
            "known": side.known,
        }
        titled = f", title = {side.title}" if side.title else ""
        note(f"{plural}: {asked}, key = {side.key}{titled}: {side.known:,} of {len(ids):,} known")
        if side.fault:
            note(f"{plural}: {side.fault}")
    return described


def _metadata(
    asked: str, part: str, ids: IdMap, options: EtlOptions, copies: Path, *, whole: bool
) -> Metadata:
    """Read a table of items (``part`` is ``item``) or of users.

    A key that is not given is the column of a usual name that has most ids of the log. Of several rows of an
    id the first counts.

    Raises:
        InputError: If it cannot be read or its key is not there.
    """
    copies.mkdir(exist_ok=True)
    sources = find([asked], "auto").sources
    key, title = (options.item_key, options.title) if part == ITEM else (None, None)
    columns = [str(each) for each in (key, title) if isinstance(each, str) and each != NONE]
    tables = [parse(source, copies, number, columns=columns) for number, source in enumerate(sources)]
    first = tables[0]
    where = str(first.source)
    whole_frame = pl.concat(
        [each.frame.select(FAULT, LINE, *_flat(each)) for each in tables], how="diagonal_relaxed"
    ).collect(engine="streaming")
    unread = whole_frame.filter(pl.col(FAULT).is_not_null() & ~pl.col(FAULT).is_in(HARMLESS))
    frame = whole_frame.filter(pl.col(FAULT).is_null()).drop(FAULT, LINE)
    known = ids.ids.implode()
    if key is not None:
        chosen = column(key, first.columns, "--item-key", where)
    else:
        chosen = _key(frame, part, known, where, whole=whole)
    titled = None
    if part == ITEM and title != NONE:
        titled = (
            column(title, first.columns, "--title", where)
            if title is not None
            else guess(TITLE, first.columns)
        )
    frame = _genres(frame)
    id_ = id_column(pl.col(chosen), frame.schema[chosen])
    if whole:
        id_ = id_.str.replace(WHOLE_AS_FLOAT, "$1")
    named = frame.with_columns(
        id_.alias(part),
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
    return Metadata(kept, chosen, titled, frame.height, matched, tables, _fault(unread, where))


def _fault(unread: pl.DataFrame, where: str) -> str | None:
    if unread.is_empty():
        return None
    row = unread.row(0, named=True)
    count = f"{unread.height:,} rows of {where}" if unread.height > 1 else f"a row of {where}"
    return f"{count} cannot be read, and is left out (line {row[LINE]}: {row[FAULT]})"


def _flat(table: RawTable) -> list[pl.Expr]:
    """The columns that hold one value a row."""
    return [table.values(name) for name in table.columns if name not in table.nested]


def _key(frame: pl.DataFrame, part: str, known: pl.Series, where: str, *, whole: bool) -> str:
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

    def matched(name: str) -> int:
        id_ = id_column(pl.col(name), frame.schema[name])
        ids = frame.select(id_.str.replace(WHOLE_AS_FLOAT, "$1") if whole else id_).to_series()
        return int(ids.unique().is_in(known).sum())

    return max(candidates, key=matched)


def _genres(frame: pl.DataFrame) -> pl.DataFrame:
    """The genre flags of u.item as one text, ``Comedy|Drama``."""
    if _FLAGS not in frame.columns or "Film-Noir" not in frame.columns:
        return frame
    flags = frame.columns[frame.columns.index(_FLAGS) :]
    named = [pl.when(pl.col(flag) == "1").then(pl.lit(flag)) for flag in flags]
    return frame.with_columns(pl.concat_str(named, separator="|", ignore_nulls=True).alias(_GENRES)).drop(
        flags
    )

"""From a file to a lazy table: the stage after ``decode``; one file a format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from recsys.data.etl.decode import decode, first_lines
from recsys.data.etl.parse.adjacency import adjacency
from recsys.data.etl.parse.delimited import delimited
from recsys.data.etl.parse.dialect import sniffed
from recsys.data.etl.parse.json_lines import json_lines
from recsys.data.etl.parse.parquet import parquet
from recsys.data.etl.parse.table import NoRowsError, RawTable
from recsys.data.etl.separators import separator_of
from recsys.data.etl.sources import Source

__all__ = ["NoRowsError", "RawTable", "parse"]

_HEAD: Final = 200
_LONGEST_HEAD: Final = 1 << 20


def parse(
    source: Source,
    copies: Path,
    number: int,
    *,
    columns: Sequence[str] = (),
    separator: str | None = None,
    header: bool | None = None,
) -> RawTable:
    """Open a file; nothing but its beginning is parsed yet.

    Args:
        source: The file.
        copies: Folder for plain copies.
        number: Names the copy.
        columns: Those that the user gave, by name or by position.
        separator: What separates fields; None: judged by the first lines.
        header: Whether the first line is a header; None: judged by its words, and by ``columns``.

    Raises:
        InputError: If it cannot be read.
        NoRowsError: If it has no row.
    """
    if source.format == "parquet":
        return _with_folders(parquet(source))
    folders = dict(source.folders)
    own = [each for each in columns if each not in folders]
    head = first_lines(source.path, _HEAD, _LONGEST_HEAD)
    between = None
    if source.format not in ("jsonl", "adjacency"):
        asked = bool(own) or header is True
        between = separator_of(separator) if separator else sniffed(source, head, columns_given=asked)
    text = decode(source.path, copies / f"{number}.txt", separator=between or "")
    if text.lines == 0:
        raise NoRowsError(f"{source} is empty; give a file with rows")
    if source.format == "jsonl":
        return _with_folders(json_lines(source, text, own))
    if between is None:
        return _with_folders(adjacency(source, text))
    headed = header if header is not None else any(not each.isdecimal() for each in own) or None
    return _with_folders(delimited(source, text, between, head[0], copies, headed=headed))


def _with_folders(table: RawTable) -> RawTable:
    """The table with the columns that its folders give, but for those that it has itself."""
    added = {name: value for name, value in table.source.folders if name not in table.columns}
    if not added:
        return table
    frame = table.frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in added.items())
    return replace(table, frame=frame, columns=[*table.columns, *added])

"""Delimited text: CSV and similar formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from recsys.data.etl.column_names import is_header
from recsys.data.etl.decode import Plain
from recsys.data.etl.parse.csv_repair import fields_of, repaired
from recsys.data.etl.parse.table import NoRowsError, RawTable
from recsys.data.etl.schema import BLANK, FAULT, LINE, MORE, RAW
from recsys.data.etl.separators import SPACES, UNIT, as_one_byte
from recsys.data.etl.sources import Source

_MOVIELENS: Final = {
    "u.data": ("user", "item", "rating", "timestamp"),
    "ratings.dat": ("user", "item", "rating", "timestamp"),
    "u.item": ("item", "title", "date", "video_date", "url", "unknown", "Action", "Adventure", "Animation",
               "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror",
               "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
    "movies.dat": ("item", "title", "genres"),
    "u.user": ("user", "age", "gender", "occupation", "zip"),
}  # fmt: skip


def delimited(
    source: Source, text: Plain, separator: str, first: str, copies: Path, *, headed: bool | None
) -> RawTable:
    """Open a delimited file; nothing but its beginning is parsed yet, unless its quotes need care.

    Args:
        source: The file.
        text: The same in plain text, several separating characters replaced by one byte.
        separator: What separates fields in the file as it was given.
        first: Its first line.
        copies: Folder for a repaired copy.
        headed: Whether the first line is a header; None: judged by its words.

    Raises:
        NoRowsError: If there is a header and nothing else.
    """
    fields = _first_fields(first, separator)
    known = _MOVIELENS.get(source.path.name)
    if known is not None and len(fields) == len(known) and not is_header(fields):
        names, headed = list(known), False
    else:
        headed = is_header(fields) if headed is None else headed
        names = _unique(fields) if headed else [f"column_{place}" for place in range(len(fields))]
    if text.lines <= int(headed):
        raise NoRowsError(f"{source} has a header and no rows; give a file with rows")
    named = headed or known is not None
    one_byte = as_one_byte(separator)
    quotes = text.quotes
    if quotes.opening == 0 or source.path.name in _MOVIELENS or one_byte == UNIT:
        frame = _scan(text.path, names, one_byte, None, separator, headed=headed)
    elif quotes.strict and quotes.breaks == 0:
        frame = _scan(text.path, names, one_byte, '"', separator, headed=headed)
    else:
        text = replace(text, spaced=True)  # fields may begin or end with quoted line feeds
        path = repaired(text, copies, names, one_byte, headed=headed)
        frame = pl.scan_parquet(path, glob=False).with_columns(_raw(names, separator))
    return RawTable(
        source, text, names, named, frame, text.lines - int(headed), first=[] if headed else fields
    )


def _first_fields(line: str, separator: str) -> list[str]:
    if separator == SPACES:
        return line.split() or [""]
    if len(separator) > 1:
        return line.split(separator)
    return fields_of(line, separator) or line.split(separator)


def _scan(
    path: Path, names: list[str], separator: str, quote: str | None, shown: str, *, headed: bool
) -> pl.LazyFrame:
    frame = pl.scan_csv(
        path, has_header=False, skip_lines=int(headed), schema=dict.fromkeys([*names, MORE], pl.String()),
        separator=separator, glob=False, quote_char=quote, truncate_ragged_lines=True,
        missing_columns="insert", extra_columns="ignore", row_index_name=LINE,
        row_index_offset=1 + int(headed),
    )  # fmt: skip
    fault = (
        pl.when(pl.col(MORE).is_not_null())
        .then(pl.lit(f"more than {len(names)} fields"))
        .when(pl.all_horizontal(pl.col(name).is_null() for name in names))
        .then(pl.lit(BLANK))
    )
    more = pl.when(pl.col(MORE).is_not_null()).then(shown + pl.col(MORE)).otherwise(pl.lit(""))
    return frame.with_columns(fault.alias(FAULT), _raw(names, shown) + more)


def _raw(names: list[str], separator: str) -> pl.Expr:
    """The row as text again."""
    fields = pl.concat_str([pl.col(name).fill_null("") for name in names], separator=separator)
    return fields.alias(RAW)


def _unique(names: list[str]) -> list[str]:
    """Names as in a header, each once and none empty."""
    found: list[str] = []
    for place, name in enumerate(names):
        wanted = name.strip() or f"column_{place}"
        found.append(wanted if wanted not in found else f"{wanted}_{place}")
    return found

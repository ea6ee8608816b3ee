"""One file as a lazy table of text, with the line and the fault of each row."""

from __future__ import annotations

import csv
import itertools
import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from recsys.data.etl.marks import BLANK, FAULT, LINE, MORE, RAW, WITHOUT_ITEMS
from recsys.data.etl.mended import mend
from recsys.data.etl.names import is_header
from recsys.data.etl.plain import UNIT, Plain, plain, unpacked
from recsys.data.etl.sources import Source
from recsys.errors import InputError

_SEPARATORS: Final = (",", "\t", ";", "|")
_HEAD: Final = 200
_LONGEST_HEAD: Final = 1 << 20

_MOVIELENS: Final = {
    "u.data": ("user", "item", "rating", "timestamp"),
    "ratings.dat": ("user", "item", "rating", "timestamp"),
    "u.item": ("item", "title", "date", "video_date", "url", "unknown", "Action", "Adventure", "Animation",
               "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror",
               "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
    "movies.dat": ("item", "title", "genres"),
    "u.user": ("user", "age", "gender", "occupation", "zip"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A file, ready to be read.

    Args:
        source: The file as it was given.
        plain: The same in plain text, and what is in it.
        columns: Names; ``column_0`` and so on where the file has no header.
        headed: Whether the first line is a header.
        frame: Those columns (text; the file's own types in parquet), ``LINE`` (from 1), ``FAULT`` (null, or
            why the row is unusable) and ``RAW`` (the row as text).
    """

    source: Source
    plain: Plain
    columns: list[str]
    headed: bool
    frame: pl.LazyFrame


def table(source: Source, copies: Path, number: int, *, headed: bool | None = None) -> Table:
    """Open a file; nothing but its beginning is parsed yet.

    Args:
        source: The file.
        copies: Folder for plain copies.
        number: Names the copy.
        headed: Whether its first line is a header; None: judge by its words.

    Raises:
        InputError: If it cannot be read or has no row.
    """
    if source.format == "parquet":
        return _parquet(source, plain(source.path, copies, text=False))
    head = _first_lines(source.path)
    separator = "" if source.format in ("jsonl", "adjacency") else _separator(source, head)
    format_ = "adjacency" if separator == " " else source.format
    text = plain(source.path, copies / f"{number}.txt", separator=separator)
    if text.lines == 0:
        raise InputError(f"{source.path} is empty; give a file with rows")
    if format_ == "jsonl":
        return _json_lines(source, text)
    if format_ == "adjacency":
        return _adjacency(source, text)
    return _separated(source, text, UNIT if separator == "::" else separator, copies, headed)


def _first_lines(path: Path) -> list[str]:
    """A few lines to judge by; latin-1 is enough for that, and whole files are checked by ``plain``."""
    try:
        head = next(unpacked(path), b"")[:_LONGEST_HEAD]
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is cut off or broken ({error}); fetch it again") from error
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1").splitlines()[:_HEAD]


def _separator(source: Source, head: list[str]) -> str:
    """What parts the fields; a space says adjacency."""
    first = next((line for line in head if line.strip()), "")
    if source.format == "tsv":
        return "\t"
    if source.format in ("dat", "txt") and "::" in first:
        return "::"
    counts = {each: first.count(each) for each in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda each: counts[each])
    if counts[best]:
        return best
    return " " if source.format == "txt" and " " in first.strip() else ","


def _separated(source: Source, text: Plain, separator: str, copies: Path, headed: bool | None) -> Table:
    first = next(csv.reader(_text_lines(text.path), delimiter=separator), [])
    known = _MOVIELENS.get(source.path.name)
    if known is not None and len(first) == len(known) and not is_header(first):
        names, headed = list(known), False
    else:
        headed = is_header(first) if headed is None else headed
        names = _unique(first) if headed else [f"column_{place}" for place in range(len(first))]
    if text.lines <= int(headed):
        raise InputError(f"{source.path} has a header and no rows; give a file with rows")
    schema = dict.fromkeys([*names, MORE], pl.String())

    def scan(quote: str | None) -> pl.LazyFrame:
        return pl.scan_csv(
            text.path, has_header=False, skip_lines=int(headed), schema=schema, separator=separator,
            glob=False, quote_char=quote, truncate_ragged_lines=True, missing_columns="insert",
            extra_columns="ignore", row_index_name=LINE, row_index_offset=1 + int(headed),
        )  # fmt: skip

    if not text.quotes or source.path.name in _MOVIELENS or separator == UNIT:
        frame = scan(None)
    elif _is_one_record_a_line(scan('"'), text.lines - int(headed)):
        frame = scan('"')
    else:
        repaired = copies / f"{source.path.name}-{text.sha256[:12]}.parquet"
        mend(text.path, repaired, names, separator, headed=headed)
        frame = pl.scan_parquet(repaired, glob=False)
        return Table(source, text, names, headed, frame.with_columns(_raw(names, separator)))
    fault = (
        pl.when(pl.col(MORE).is_not_null())
        .then(pl.lit(f"more than {len(names)} fields"))
        .when(pl.all_horizontal(pl.col(name).is_null() for name in names))
        .then(pl.lit(BLANK))
    )
    more = pl.when(pl.col(MORE).is_not_null()).then(separator + pl.col(MORE)).otherwise(pl.lit(""))
    frame = frame.with_columns(fault.alias(FAULT), _raw(names, separator) + more)
    return Table(source, text, names, headed, frame)


def _is_one_record_a_line(frame: pl.LazyFrame, lines: int) -> bool:
    try:
        return bool(frame.select(pl.len()).collect(engine="streaming").item() == lines)
    except pl.exceptions.PolarsError:
        return False


def _raw(names: list[str], separator: str) -> pl.Expr:
    """The row as text again."""
    shown = "::" if separator == UNIT else separator
    fields = pl.concat_str([pl.col(name).fill_null("") for name in names], separator=shown)
    return fields.alias(RAW)


def _text_lines(path: Path) -> itertools.islice[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return itertools.islice(iter(file.readlines(_LONGEST_HEAD)), _HEAD)


def _unique(names: list[str]) -> list[str]:
    """Names as in a header, each once and none empty."""
    found: list[str] = []
    for place, name in enumerate(names):
        wanted = name.strip() or f"column_{place}"
        found.append(wanted if wanted not in found else f"{wanted}_{place}")
    return found


def _json_lines(source: Source, text: Plain) -> Table:
    names: dict[str, None] = {}
    for line in _text_lines(text.path):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        names |= dict.fromkeys(value if isinstance(value, dict) else ())
    columns = [name for name in names if "'" not in name]
    if not columns:
        raise InputError(f"{source.path} holds no JSON objects, one a line; give --format, or another file")
    lines = pl.scan_lines(text.path, name=RAW, row_index_name=LINE, row_index_offset=1, glob=False)
    blank = pl.col(RAW).str.strip_chars() == ""
    broken = pl.col(RAW).str.json_path_match("$").is_null()
    frame = lines.with_columns(
        *(pl.col(RAW).str.json_path_match(f"$['{name}']").alias(name) for name in columns),
        pl.when(blank).then(pl.lit(BLANK)).when(broken).then(pl.lit("not JSON")).alias(FAULT),
    )
    return Table(source, text, columns, True, frame)


def _adjacency(source: Source, text: Plain) -> Table:
    lines = pl.scan_lines(text.path, name=RAW, row_index_name=LINE, row_index_offset=1, glob=False)
    words = pl.col(RAW).str.strip_chars().str.replace_all(r"\s+", " ").str.split(" ")
    frame = (
        lines.with_columns(words.alias("item"))
        .with_columns(pl.col("item").list.first().alias("user"), pl.col("item").list.slice(1))
        .explode("item", empty_as_null=True)
        .with_columns(
            pl.when(pl.col("user") == "").then(pl.lit(BLANK))
            .when(pl.col("item").is_null()).then(pl.lit(WITHOUT_ITEMS)).alias(FAULT)
        )
    )  # fmt: skip
    return Table(source, text, ["user", "item"], False, frame)


def _parquet(source: Source, file: Plain) -> Table:
    try:
        frame = pl.scan_parquet(source.path, row_index_name=LINE, row_index_offset=1, glob=False)
        schema = frame.collect_schema()
        rows = frame.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{source.path} is not a whole parquet file ({str(error).splitlines()[0]}); fetch it again"
        ) from error
    columns = [name for name, kind in schema.items() if not kind.is_nested() and kind != pl.Binary]
    if rows == 0:
        raise InputError(f"{source.path} has no rows; give a file with rows")
    frame = frame.with_columns(pl.lit(None, pl.String).alias(FAULT), _shown(columns))
    return Table(source, replace(file, lines=rows), columns, True, frame)


def _shown(columns: list[str]) -> pl.Expr:
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in columns]
    return pl.concat_str(texts, separator=",").alias(RAW)

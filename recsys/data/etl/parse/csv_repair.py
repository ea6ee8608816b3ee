"""Reads CSV files with irregular quotes: no line is lost, and no complete line is joined to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl

from recsys.data.etl.decode import Plain
from recsys.data.etl.schema import BLANK, FAULT, LINE

_LONGEST: Final = 100  # lines in one quoted field, at most
_BATCH: Final = 200_000
_Record: TypeAlias = tuple[int, list[str | None], str | None]


def repaired(text: Plain, copies: Path, names: list[str], separator: str, *, headed: bool) -> Path:
    """Rewrite a file as parquet of text columns, with the line and the fault of each row.

    A record is one line, or as many as its quotes take to close where the file keeps to the rules of CSV
    (quotes open at the beginning of a field, close at its end, and are doubled or follow a backslash
    within). Where they do not close so, and where each of the lines would be a row by itself, a quote is a
    character like any other, unless it could have kept a separator from separating: tabs are not quoted, but
    a line with commas and an odd quote is unusable.
    """
    out = copies / f"{text.path.name}-{text.sha256[:12]}.parquet"
    schema = {**dict.fromkeys(names, pl.String), LINE: pl.UInt32, FAULT: pl.String}
    folder = out.with_suffix(".parts")
    folder.mkdir()
    rows: list[list[object]] = []
    files = []
    found = _records(text.path, len(names), separator, strict=text.quotes.strict, headed=headed)
    for number, (line, fields, fault) in enumerate(found, 1):
        rows.append([*fields, line, fault])
        if number % _BATCH == 0:
            files.append(_write(rows, schema, folder / f"{number:012}.parquet"))
            rows = []
    files.append(_write(rows, schema, folder / "last.parquet"))
    pl.concat([pl.scan_parquet(file, glob=False) for file in files]).sink_parquet(out, engine="streaming")
    return out


def fields_of(record: str, separator: str, *, escaped: bool = False) -> list[str] | None:
    r"""Fields of a record by the rules of CSV; None where a quoted field does not close at its end.

    Args:
        record: Without the line feed at its end.
        separator: One character or several.
        escaped: Whether a backslash takes the meaning from a quote or backslash after it within quotes.

    Example:
        >>> fields_of('a,"b, ""c"" d",5" pipe', ",")
        ['a', 'b, "c" d', '5" pipe']
        >>> fields_of('"open', ","), fields_of(r'"a \"b\"",2', ",", escaped=True)
        (None, ['a "b"', '2'])
    """
    if '"' not in record:
        return record.split(separator)
    quoted, plain = _patterns(separator, escaped)
    fields, place = [], 0
    while True:
        match = quoted.match(record, place)
        if match:
            inside = match[1]
            fields.append(_UNESCAPED.sub(r"\1", inside) if escaped else inside.replace('""', '"'))
        else:
            match = plain.match(record, place)
            assert match
            if match[0].lstrip(" ").startswith('"'):
                return None
            fields.append(match[0])
        place = match.end()
        if place == len(record):
            return fields
        place += len(separator)
        if place == len(record):
            return [*fields, ""]


_UNESCAPED: Final = re.compile(r'\\(["\\])|"(?=")')


@cache
def _patterns(separator: str, escaped: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    end = rf"(?={re.escape(separator)}|\Z)"
    inside = r'(?:[^"\\]|\\.|"")*' if escaped else r'(?:[^"]|"")*'
    quoted = re.compile(rf' *"({inside})" *{end}', re.DOTALL)
    return quoted, re.compile(rf"(?:(?!{re.escape(separator)}).)*", re.DOTALL)


def _records(path: Path, width: int, separator: str, *, strict: bool, headed: bool) -> Iterator[_Record]:
    with path.open(encoding="utf-8", newline="\n") as file:
        lines = enumerate((line.removesuffix("\n").removesuffix("\r") for line in file), 1)
        waiting: list[tuple[int, str]] = []
        while True:
            start = waiting.pop(0) if waiting else next(lines, None)
            if start is None:
                return
            number, first = start
            fields = _closed(first, width, separator, strict=strict)
            if fields is None:
                fields, taken = _joined(first, waiting, lines, width, separator, strict=strict)
                alone = [first, *(line for _, line in waiting[:taken])]
                ruled = strict and separator != "\t"  # a tabbed field holds no line feed by its rules
                if fields is not None and not ruled and _each_a_row(alone, width, separator):
                    fields = None
                if fields is not None:
                    del waiting[:taken]
            if headed:
                headed = False
            else:
                yield _record(number, first, fields, width, separator)


def _joined(
    first: str,
    waiting: list[tuple[int, str]],
    lines: Iterator[tuple[int, str]],
    width: int,
    separator: str,
    *,
    strict: bool,
) -> tuple[list[str] | None, int]:
    """Fields of as few lines as close the quotes of the first, and how many follow it; None where none do.

    Lines that were read on the way stay in ``waiting``.
    """
    record = first
    for taken in range(_LONGEST):
        if taken == len(waiting):
            following = next(lines, None)
            if following is None:
                break
            waiting.append(following)
        record += "\n" + waiting[taken][1]
        fields = _closed(record, width, separator, strict=strict)
        if fields is not None:
            return fields, taken + 1
    return None, 0


def _closed(record: str, width: int, separator: str, *, strict: bool) -> list[str] | None:
    """Fields of a record whose quotes close; unless ``strict``, by backslashes where only they fit."""
    fields = fields_of(record, separator)
    if not strict and '\\"' in record and (fields is None or len(fields) != width):
        fields = fields_of(record, separator, escaped=True) or fields
    return fields


def _each_a_row(lines: list[str], width: int, separator: str) -> bool:
    return all(len(line.split(separator)) == width for line in lines)


def _record(number: int, line: str, fields: list[str] | None, width: int, separator: str) -> _Record:
    if not line.strip() and (fields is None or len(fields) <= 1):
        return number, [None] * width, BLANK
    fault = None
    if fields is None:
        fields = line.split(separator)
        balanced = separator == "\t" or all(field.count('"') % 2 == 0 for field in fields)
        fault = None if len(fields) == width and balanced else "a quote is not closed"
    elif len(fields) > width:
        fault = f"more than {width} fields"
    if fault:
        fields = [*(fields + [""] * width)[: width - 1], separator.join(fields[width - 1 :])]
    shown: list[str | None] = [field or None for field in (fields + [""] * width)[:width]]
    return number, shown, fault


def _write(rows: list[list[object]], schema: dict[str, type[pl.DataType]], path: Path) -> Path:
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path, compression="lz4")
    return path

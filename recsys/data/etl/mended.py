"""The careful reader, for files whose quotes do not close where they should; it never loses a line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl

from recsys.data.etl.marks import BLANK, FAULT, LINE

_LONGEST: Final = 100  # lines in one quoted field, at most
_BATCH: Final = 200_000
_Record: TypeAlias = tuple[int, list[str | None], str | None]


def mend(path: Path, out: Path, names: list[str], separator: str, *, headed: bool) -> None:
    """Rewrite a file as parquet of text columns, with the line and the fault of each row.

    A record ends where its quotes are balanced, at most 100 lines on. Where that gives no row of the right
    length, the quotes of its first line are plain characters, and reading goes on with the next line.
    """
    schema = {**dict.fromkeys(names, pl.String), LINE: pl.UInt32, FAULT: pl.String}
    folder = out.with_suffix(".parts")
    folder.mkdir()
    rows: list[list[object]] = []
    for number, (line, fields, fault) in enumerate(_records(path, len(names), separator, headed=headed), 1):
        rows.append([*fields, line, fault])
        if number % _BATCH == 0:
            _write(rows, schema, folder / f"{number:012}.parquet")
            rows = []
    _write(rows, schema, folder / "last.parquet")
    pl.scan_parquet(folder).sink_parquet(out, engine="streaming")


def _write(rows: list[list[object]], schema: dict[str, type[pl.DataType]], path: Path) -> None:
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path, compression="lz4")


def _records(path: Path, width: int, separator: str, *, headed: bool) -> Iterator[_Record]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = enumerate(file, 1)
        if headed:
            next(lines)
        waiting: list[tuple[int, str]] = []
        while True:
            start = waiting.pop(0) if waiting else next(lines, None)
            if start is None:
                return
            number, first = start
            record, taken = first, 0
            while record.count('"') % 2 and taken < _LONGEST:
                if taken == len(waiting):
                    following = next(lines, None)
                    if following is None:
                        break
                    waiting.append(following)
                record += waiting[taken][1]
                taken += 1
            fields = _fields(record, separator) if record.count('"') % 2 == 0 else []
            if len(fields) == width:
                waiting = waiting[taken:]
                yield number, _nulls(fields), None
                continue
            yield _alone(number, first, width, separator)


def _alone(number: int, line: str, width: int, separator: str) -> _Record:
    """A line by itself: parsed where its quotes are balanced, else with its quotes as plain characters."""
    bare = line.rstrip("\r\n")
    if not bare.strip():
        return number, [None] * width, BLANK
    fields = _fields(bare, separator) if bare.count('"') % 2 == 0 else []
    if not 0 < len(fields) <= width:
        fields = bare.split(separator)
        opened = any(field.startswith('"') for field in fields)
        if len(fields) != width or opened:
            fault = "quote is not closed" if bare.count('"') % 2 else f"more than {width} fields"
            return (
                number,
                _nulls([*(fields + [""] * width)[: width - 1], separator.join(fields[width - 1 :])]),
                fault,
            )
    return number, _nulls((fields + [""] * width)[:width]), None


def _fields(record: str, separator: str) -> list[str]:
    """Fields of a record, or none where its quotes make no sense."""
    try:
        return next(csv.reader([record.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        return []


def _nulls(fields: list[str]) -> list[str | None]:
    return [field or None for field in fields]

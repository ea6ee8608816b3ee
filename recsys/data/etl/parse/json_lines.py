"""JSON lines: an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from recsys.data.etl.decode import Plain
from recsys.data.etl.parse.table import RawTable
from recsys.data.etl.schema import BLANK, FAULT, LINE, RAW
from recsys.data.etl.sources import Source
from recsys.errors import InputError

_PLACES: Final = 64  # where keys are looked for, beside the beginning
_PIECE: Final = 1 << 16
_FEW: Final = 1 << 20
# What polars may not give digit for digit: long numbers, fractions, exponents; and objects as their text.
_UNSURE: Final = r"^[-+]?\d{16,}$|^[-+]?\d+\.|^[-+]?\d+[eE]|^[\[{]"


def json_lines(source: Source, text: Plain, asked: Iterable[str]) -> RawTable:
    """Open a file of JSON objects; fields of objects in them have dotted names.

    Keys are those of the first lines, of lines at 64 places all over the file, and ``asked``.

    Args:
        source: The file.
        text: The same in plain text.
        asked: Names of columns that the user gave; each is looked for in all lines.

    Raises:
        InputError: If it holds no objects.
    """
    paths: dict[str, tuple[str, ...]] = {}
    nested: dict[str, list[str]] = {}
    for line in _samples(text.path):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            _walk(value, (), paths, nested)
    if not paths:
        whole = " It may be one JSON array or document: write one object a line (jq -c '.[]')."
        raise InputError(
            f"{source} holds no JSON objects, one a line; give --format, or another file.{whole}"
        )
    lines = pl.scan_lines(text.path, name=RAW, row_index_name=LINE, row_index_offset=1, glob=False)
    for name in asked:
        if name not in paths and not name.isdecimal() and _is_there(lines, tuple(name.split("."))):
            paths[name] = tuple(name.split("."))
    paths = {name: path for name, path in paths.items() if not any("'" in step for step in path)}
    blank = pl.col(RAW).str.strip_chars() == ""
    broken = pl.col(RAW).str.json_path_match("$").is_null()
    frame = lines.with_columns(
        *(_value(path).alias(name) for name, path in paths.items()),
        pl.when(blank).then(pl.lit(BLANK)).when(broken).then(pl.lit("not JSON")).alias(FAULT),
    )

    def exact(column: str) -> pl.Expr:
        return pl.struct(column, RAW).map_batches(
            lambda rows: _digit_for_digit(rows, column, paths[column]), pl.String, is_elementwise=True
        )

    return RawTable(source, text, list(paths), True, frame, text.lines, exact=exact, nested=nested)


def _samples(path: Path) -> Iterator[bytes]:
    """Lines from the beginning and from all over a file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _FEW + _PLACES * _PIECE:
            yield from file.read().split(b"\n")
            return
        yield from file.read(_FEW).split(b"\n")[:-1]
        for place in range(1, _PLACES + 1):
            file.seek(place * (size - _PIECE) // _PLACES)
            yield from file.read(_PIECE).split(b"\n")[1:-1]


def _walk(
    value: dict[str, Any],
    above: tuple[str, ...],
    paths: dict[str, tuple[str, ...]],
    nested: dict[str, list[str]],
) -> None:
    for key, inside in value.items():
        path = (*above, key)
        name = ".".join(path)
        paths.setdefault(name, path)
        if isinstance(inside, dict):
            fields = nested.setdefault(name, [])
            fields += [f"{name}.{each}" for each in inside if f"{name}.{each}" not in fields]
            _walk(inside, path, paths, nested)
        elif isinstance(inside, list):
            nested.setdefault(name, [])


def _value(path: tuple[str, ...]) -> pl.Expr:
    return pl.col(RAW).str.json_path_match("$" + "".join(f"['{step}']" for step in path))


def _is_there(lines: pl.LazyFrame, path: tuple[str, ...]) -> bool:
    if any("'" in step for step in path):
        return False
    return bool(lines.select(_value(path).is_not_null().any()).collect(engine="streaming").item())


def _digit_for_digit(rows: pl.Series, column: str, path: tuple[str, ...]) -> pl.Series:
    """Texts of a column, numbers as written in the file; null for what is not a single value."""
    texts = rows.struct.field(column)
    unsure = texts.str.contains(_UNSURE).fill_null(value=False)
    if not unsure.any():
        return texts
    lines = rows.struct.field(RAW)
    found = [
        _exact(line, path) if doubt else text for text, line, doubt in zip(texts, lines, unsure, strict=True)
    ]
    return pl.Series(column, found, dtype=pl.String)


def _exact(line: str, path: tuple[str, ...]) -> str | None:
    try:
        value: Any = json.loads(line, parse_int=str, parse_float=str)
        for step in path:
            value = value[step]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return value if isinstance(value, str) else None

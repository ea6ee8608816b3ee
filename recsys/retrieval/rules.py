"""Which items a list may hold: files of ids to exclude, or to keep to."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.arrays import Codes
from recsys.columns import ITEM
from recsys.errors import InputError
from recsys.text import TextColumn


@dataclass(frozen=True, slots=True)
class Rules:
    """Item codes (sorted, unique) that may not be listed, and those to keep to; None: no such rule."""

    exclude: Codes | None = None
    only: Codes | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Ids looked up in a catalogue: the codes (sorted, unique) of the known ones, and the unknown ones."""

    codes: Codes
    unknown: list[str]


def look_up(ids: Iterable[str], catalogue: TextColumn) -> Found:
    """Codes of ids.

    Example:
        >>> look_up(["b", "x", "a", "b"], TextColumn.of(["a", "b"]))
        Found(codes=array([0, 1], dtype=int32), unknown=['x'])
    """
    pairs = [(text, catalogue.find(text)) for text in dict.fromkeys(ids)]
    codes = sorted(code for _, code in pairs if code is not None)
    return Found(np.array(codes, dtype=np.int32), [text for text, code in pairs if code is None])


def read_ids(path: Path, column: str = ITEM) -> list[str]:
    """Ids from a file: one a line, or the named column of a .csv, .tsv, .parquet, .jsonl or .ndjson file.

    Raises:
        InputError: If the file is missing, cannot be read, lacks the column, or holds no id.
    """
    try:
        match path.suffix.lower():
            case ".csv" | ".tsv":
                ids = list(_from_csv(path, column))
            case ".jsonl" | ".ndjson":
                ids = list(_from_jsonl(path, column))
            case ".parquet":
                ids = _from_parquet(path, column)
            case _:
                lines = path.read_text(encoding="utf-8-sig").splitlines()
                ids = [line.strip() for line in lines if line.strip()]
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}; give a file of {column} ids"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    if not ids:
        raise InputError(f"{path} holds no {column} id; give one a line, or a column {column!r}")
    return ids


def _from_csv(path: Path, column: str) -> Iterator[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        _must_have(path, column, rows.fieldnames or [])
        yield from (row[column] for row in rows if row[column])


def _from_jsonl(path: Path, column: str) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(
                f"{path}, line {number} is not JSON ({error}); give one object a line"
            ) from error
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number} is not an object; give one with a field {column!r}")
        _must_have(path, column, list(row))
        yield str(row[column])


def _from_parquet(path: Path, column: str) -> list[str]:
    import polars as pl

    try:
        frame = pl.scan_parquet(path)
        _must_have(path, column, frame.collect_schema().names())
        ids = frame.select(pl.col(column).cast(pl.String)).collect()[column]
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path} is not a whole parquet file ({error}); write it again") from error
    return ids.drop_nulls().to_list()


def _must_have(path: Path, column: str, names: Sequence[str]) -> None:
    if column not in names:
        raise InputError(f"{path} has no column {column!r}; it has: {', '.join(names) or 'none'}")

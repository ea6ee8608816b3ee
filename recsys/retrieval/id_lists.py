"""Lists of raw ids as people give them: a file, or a text on the command line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from recsys.columns import ITEM
from recsys.errors import InputError
from recsys.ids import find_id, id_text
from recsys.storage.string_column import TextColumn

SEPARATORS: Final = ",;\t|"
# Tables and archives, which would be misread as one id a line.
NOT_READ: Final = {".json", ".xlsx", ".xls", ".feather", ".arrow", ".avro", ".orc", ".bz2", ".xz", ".zip"}

Numbered = Iterator[tuple[int, object]]


def ids_of_text(text: str, catalogue: TextColumn) -> list[str]:
    """The ids that a text lists: the whole of it where that is a known id, else its fields, as in a CSV file.

    An id with a comma beside others is in double quotes; empty fields are skipped.

    Raises:
        InputError: If the text is not UTF-8, or its quotes do not close.

    Example:
        >>> known = TextColumn.of(["Tyler, the Cook", "318"])
        >>> ids_of_text("Tyler, the Cook", known), ids_of_text('"Tyler, the Cook", 318', known)
        (['Tyler, the Cook'], ['Tyler, the Cook', '318'])
    """
    if find_id(text, catalogue) is not None:
        return [id_text(text) or ""]
    try:
        fields = next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise InputError(
            f"{text!r} is not a list of ids ({error}); separate ids by commas, quote one that has a comma as "
            'in CSV: "a, b",c'
        ) from error
    return [each for field in fields if (each := id_text(field)) is not None]


def read_ids(path: Path, column: str = ITEM) -> list[str]:
    """Ids from a file: one a line, or the named column of a .csv, .tsv, .jsonl, .ndjson or .parquet file.

    All but parquet may also end in .gz or .zst. Lines end at line feeds, and at nothing else that Unicode
    calls the end of a line; the separator of a .csv or .tsv file is the one that its header shows. Empty and
    null ones are skipped; ids of any type are read as ``id_text`` says.

    Raises:
        InputError: If the file is missing, cannot be read, lacks the column, or holds no id or a wrong one.
    """
    endings = [ending.lower() for ending in path.suffixes]
    packed = endings.pop() if endings and endings[-1] in (".gz", ".zst") else ""
    kind = endings[-1] if endings else ""
    if kind in NOT_READ or kind + packed in (".parquet.gz", ".parquet.zst"):
        raise InputError(
            f"{path} is a {kind + packed} file, which is not read; give one id a line, or a column "
            f"{column!r} of a .csv, .tsv, .jsonl or .parquet file"
        )
    try:
        if kind == ".parquet":
            numbered = _from_parquet(path, column)
        elif kind in (".csv", ".tsv"):
            numbered = _from_csv(path, _text(path, packed), column)
        elif kind in (".jsonl", ".ndjson"):
            numbered = _from_jsonl(path, _text(path, packed), column)
        else:
            numbered = enumerate(_text(path, packed).split("\n"), start=1)
        ids = _ids(path, numbered)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}; give a file of {column} ids"
        ) from error
    if not ids:
        raise InputError(f"{path} holds no {column} id; give one a line, or a column {column!r}")
    return ids


def _ids(path: Path, numbered: Iterable[tuple[int, object]]) -> list[str]:
    ids = []
    for number, value in numbered:
        try:
            text = id_text(value)
        except InputError as error:
            place = "row" if path.suffix.lower() == ".parquet" else "line"
            raise InputError(f"{path}, {place} {number}: {error}") from error
        if text is not None:
            ids.append(text)
    return ids


def _text(path: Path, packed: str) -> str:
    data = path.read_bytes()
    if packed == ".gz":
        try:
            data = gzip.decompress(data)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path} is not a whole gzip file ({error}); write it again") from error
    elif packed == ".zst":
        data = _from_zstd(path, data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    if "\0" in text:
        raise InputError(f"{path} is not text: it holds NUL bytes; save it as UTF-8 text")
    return text


def _from_zstd(path: Path, data: bytes) -> bytes:
    import zstandard

    plain = b""
    while data:  # a frame at a time
        decoder = zstandard.ZstdDecompressor().decompressobj()
        try:
            plain += decoder.decompress(data)
        except zstandard.ZstdError as error:
            raise InputError(f"{path} is not a whole zstd file ({error}); write it again") from error
        if not decoder.eof:
            raise InputError(f"{path} is not a whole zstd file (its end is missing); write it again")
        data = decoder.unused_data
    return plain


def _from_csv(path: Path, text: str, column: str) -> Numbered:
    tables = [
        csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
        for separator in SEPARATORS
    ]
    rows = tables[0]
    try:
        headers = [[name.strip() for name in next(rows, [])] for rows in tables]
        shown = max(range(len(tables)), key=lambda table: (column in headers[table], len(headers[table])))
        rows, header = tables[shown], headers[shown]
        _must_have(path, column, header)
        for row in rows:
            if row and len(row) != len(header):
                raise InputError(
                    f"{path}, line {rows.line_num} has {len(row)} fields, the header {len(header)}; "
                    "quote an id that holds the separator"
                )
            if row:
                yield rows.line_num, row[header.index(column)]
    except csv.Error as error:
        raise InputError(
            f"{path}, line {rows.line_num} is not CSV ({error}); quote an id that holds quotes or the "
            "separator, or give one id a line in a .txt file"
        ) from error


def _from_jsonl(path: Path, text: str, column: str) -> Numbered:
    for number, line in enumerate(text.split("\n"), start=1):
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
        yield number, row[column]


def _from_parquet(path: Path, column: str) -> Numbered:
    import polars as pl

    with path.open("rb"):  # a missing file gives the message of every other kind
        pass
    try:
        frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        _must_have(path, column, frame.collect_schema().names())
        ids = frame.select(column).collect()[column]
    except pl.exceptions.PolarsError as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{path} is not a whole parquet file ({first}); write it again") from error
    return enumerate(ids.to_list(), start=1)


def _must_have(path: Path, column: str, names: Sequence[str]) -> None:
    if column not in names:
        raise InputError(f"{path} has no column {column!r}; it has: {', '.join(names) or 'none'}")

"""A table written in every format and dialect is read back as it was, each record accounted for."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.data.etl.parse import parse
from recsys.data.etl.schema import FAULT, LINE
from recsys.data.etl.sources import find
from recsys.errors import InputError
from recsys.ids import SPACE

HEADER = ["user", "item", "note"]
letters = st.characters(codec="utf-8", exclude_characters="\0\r\x1f", exclude_categories=["Cs"])
fields = st.one_of(
    st.text(letters, max_size=8),
    st.sampled_from(['"', '""', 'say "hi"', '"open', "a,b", "a;b", "a\tb", "a|b", "a::b", "two\nlines", "\\",
                     '\\"', " x ", "7", "7.0", "NULL", "#", "{}", "\x85", "Ünï"]),
)  # fmt: skip
ids = fields.filter(lambda text: text.strip(SPACE) != "")
tables = st.lists(st.tuples(ids, ids, fields), min_size=1, max_size=6)
plain_ids = st.text("abcäш7.-_\"'", min_size=1, max_size=6).filter(lambda text: "--" not in text)
plain_tables = st.lists(st.tuples(plain_ids, plain_ids, plain_ids), min_size=2, max_size=6)


def read(content: bytes, name: str, **options: object) -> pl.DataFrame:
    """The ids of each row, with the fault and the line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        (source,) = find([str(path)], "auto").sources
        copies = Path(folder) / "copies"
        copies.mkdir()
        table = parse(source, copies, 0, **options)  # type: ignore[arg-type]
        columns = [name for name in table.columns if name not in table.nested][:3]
        return table.frame.select(*(table.ids(name).alias(name) for name in columns), FAULT, LINE).collect()


def stripped(table: list[tuple[str, ...]]) -> list[tuple[str | None, ...]]:
    return [tuple(field.strip(SPACE) or None for field in row) for row in table]


def rows_of(frame: pl.DataFrame) -> list[tuple[str | None, ...]]:
    assert frame[FAULT].null_count() == frame.height, frame
    return [tuple(field or None for field in row) for row in frame.drop(FAULT, LINE).rows()]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ids=["minimal", "all"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@settings(deadline=None, max_examples=40)
@given(table=tables)
@example(table=[("a", "b,c\nd", 'e "f"'), ("g", '"', "")])
def test_csv_by_the_rules_is_read_as_it_was(
    separator: str, quoting: int, end: str, table: list[tuple[str, ...]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([HEADER, *table])
    assert rows_of(read(out.getvalue().encode(), "log.csv")) == stripped(table)


@pytest.mark.parametrize("separator", ["::", ",", "\t", ";", "|", " "])
@settings(deadline=None, max_examples=25)
@given(table=plain_tables)
def test_tables_without_quoting_are_read_as_they_were(separator: str, table: list[tuple[str, ...]]) -> None:
    table = [tuple(field.replace('"', "") or "x" for field in row) for row in table]
    text = "\n".join(separator.join(row) for row in [tuple(HEADER), *table])
    assert rows_of(read(text.encode(), "log.txt", columns=["user"])) == stripped(table)


@settings(deadline=None, max_examples=60)
@given(table=plain_tables)
@example(table=[("a", '"lonely', "1"), ("b", "c", "2"), ("d", '"sad', "3")])
@example(table=[("a", '"weird joe" jankovic', "1"), ("b", 'x"', "2")])
@example(table=[("a", '"open', "1"), ("b", 'closed"', "2")])
def test_quotes_of_tabbed_text_swallow_no_line(table: list[tuple[str, ...]]) -> None:
    """Each line is a row by itself, whatever quotes stand in the names of the items."""
    table = [(user.replace('"', "") or "u", item, note.replace('"', "") or "n") for user, item, note in table]
    text = "\n".join("\t".join(row) for row in [tuple(HEADER), *table]) + "\n"
    frame = read(text.encode(), "log.tsv")
    assert frame[LINE].to_list() == list(range(2, len(table) + 2))
    assert frame[FAULT].null_count() == frame.height
    for found, row in zip(frame.drop(FAULT, LINE).rows(), table, strict=True):
        for field, raw in zip(found, row, strict=True):
            assert (field or "") in (raw, raw[1:-1].replace('""', '"'))


@settings(deadline=None, max_examples=60)
@given(table=st.lists(st.tuples(fields, fields, fields), min_size=1, max_size=6), data=st.data())
def test_broken_quotes_lose_no_line_and_no_separator_enters_an_id(
    table: list[tuple[str, ...]], data: st.DataObject
) -> None:
    """Any text at all: each line is part of a row, and what holds a separator or a line feed was quoted."""
    lines = [",".join(field.replace("\n", " ") for field in row) for row in table]
    cut = data.draw(st.integers(0, len(lines) - 1))
    lines.insert(cut, 'u,"never closed')
    content = "\n".join([",".join(HEADER), *lines]) + "\n"
    frame = read(content.encode(), "log.csv")
    numbers = frame[LINE].to_list()
    assert numbers == sorted(set(numbers))
    for place, (row, number) in enumerate(zip(frame.drop(FAULT, LINE).rows(), numbers, strict=True)):
        following = numbers[place + 1] if place + 1 < len(numbers) else len(lines) + 2
        record = content.split("\n")[number - 1 : following - 1]
        if len(record) > 1:  # joined lines: a quote opens in the first and closes in the last
            assert '"' in record[0]
            assert '"' in record[-1]
        for field in row:
            if field is not None and frame[FAULT][place] is None and ("," in field or "\n" in field):
                assert '"' in "\n".join(record)


@settings(deadline=None, max_examples=40)
@given(table=tables)
def test_json_lines_are_read_as_they_were(table: list[tuple[str, ...]]) -> None:
    objects = [dict(zip(HEADER, row, strict=True)) for row in table]
    lines = [json.dumps(each, ensure_ascii=len(each["user"]) % 2 == 0) for each in objects]
    assert rows_of(read("\n".join(lines).encode(), "log.jsonl")) == stripped(table)


@settings(deadline=None, max_examples=40)
@given(numbers=st.lists(st.one_of(st.integers(), st.integers(-(10**40), 10**40)), min_size=1, max_size=6))
def test_json_numbers_keep_their_digits(numbers: list[int]) -> None:
    lines = [f'{{"user": {number}, "item": {{"id": "{number}"}}}}' for number in numbers]
    frame = read("\n".join(lines).encode(), "log.jsonl", columns=["item.id"])
    assert frame["user"].to_list() == frame["item.id"].to_list() == [str(number) for number in numbers]


@pytest.mark.parametrize("kind", ["text", "bytes", "category", "i64", "f64"])
def test_parquet_of_any_type_gives_the_same_ids(kind: str) -> None:
    column = {
        "text": pl.Series(["7", "8", None]),
        "bytes": pl.Series([b"7", b"8", None]),
        "category": pl.Series(["7", "8", None], dtype=pl.Categorical),
        "i64": pl.Series([7, 8, None]),
        "f64": pl.Series([7.0, 8.0, float("nan")]),
    }[kind]
    out = io.BytesIO()
    pl.DataFrame({"user": column, "item": ["a", "b", "c"], "note": ["", "x", "y"]}).write_parquet(out)
    assert read(out.getvalue(), "log.parquet")["user"].to_list() == ["7", "8", None]


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("folder/log.csv", content)
    return out.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "log.csv.gz": gzip.compress,
    "log.csv.GZ": gzip.compress,
    "log.csv.bz2": bz2.compress,
    "log.csv.xz": lzma.compress,
    "log.csv.zst": zstandard.compress,
    "log.zip": zipped,
    "log.csv": gzip.compress,  # packed, and not called so
    "log.csv.gzip.csv": bytes,
}


@pytest.mark.parametrize("name", PACKERS)
def test_packed_files_are_read_whatever_they_are_called(name: str) -> None:
    content = b"user,item,note\n" + b"".join(b"u%d,i%d,x\n" % (place, place % 7) for place in range(5000))
    frame = read(PACKERS[name](content), name)
    assert frame.height == 5000
    assert frame["user"][4999] == "u4999"


def several(names: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "user,item\na,b\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.xlsx", several(["[Content_Types].xml", "xl/a.xml"]), "is an Excel workbook.*the sheet as CSV"),
        ("log.zip", several(["a.csv", "b.csv"]), "holds 2 files .a.csv, b.csv.*unpack it"),
        ("log.zip", several([]), "holds 0 files"),
        ("log.xls", b"\xd0\xcf\x11\xe0 old", "an old Office file.*save the table as CSV"),
        ("log.csv", b"SQLite format 3\0", "an SQLite database"),
        ("log.pkl", b"\x80\x04\x95", "a Python pickle, which is not read"),
        ("log.csv.bz2", bz2.compress(b"user,item\na,b\n" * 9)[:-9], "is cut off or broken.*fetch it again"),
        ("log.csv.xz", lzma.compress(b"user,item\na,b\n" * 9)[:-9], "is cut off or broken.*fetch it again"),
        ("log.csv", "user,item\na,b\n".encode("utf-16-le"), "is not text"),
    ],
)  # fmt: skip
def test_files_of_other_kinds_say_what_to_do(name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(content, name)

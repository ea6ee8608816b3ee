import gzip
import json
from pathlib import Path

import polars as pl
import pytest
import zstandard

from recsys.errors import InputError
from recsys.retrieval.id_lists import ids_of_text, read_ids
from recsys.storage.string_column import TextColumn


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ids.txt", "a\n 007 \n\nü\n"),
        ("ids", "\ufeffa\n007\nü"),
        ("ids.csv", 'title,item\n"x, y",a\nz,007\nz,\nz,ü\n'),
        ("ids.csv", "item;title\na;x\n007;y\nü;z\n"),
        ("ids.csv", "title, item\nx, a\r\ny, 007\nz, ü\n"),
        ("ids.tsv", "item\ttitle\na\tx\n007\ty\nü\tz\n"),
        ("ids.jsonl", '{"item": "a"}\n\n{"item": "007", "x": 1}\n{"item": "ü"}\n'),
    ],
)
def test_ids_stay_text_in_every_format(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_ids(tmp_path / name) == ["a", "007", "ü"]


@pytest.mark.parametrize("name", ["ids.txt", "ids.csv", "ids.JSONL"])
def test_compressed_files_are_read(tmp_path: Path, name: str) -> None:
    text = {"ids.txt": "a\nü\n", "ids.csv": "item\na\nü\n", "ids.JSONL": '{"item": "a"}\n{"item": "ü"}'}[name]
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    frames = [zstandard.compress(part.encode()) for part in (text[:4], text[4:])]
    (tmp_path / f"{name}.zst").write_bytes(b"".join(frames))
    for ending in (".gz", ".zst"):
        assert read_ids(tmp_path / f"{name}{ending}") == ["a", "ü"]
        whole = (tmp_path / f"{name}{ending}").read_bytes()
        (tmp_path / f"{name}{ending}").write_bytes(whole[:-3])
        with pytest.raises(InputError, match="is not a whole"):
            read_ids(tmp_path / f"{name}{ending}")


ODD = ["a\u2028b", "c\x85d", "e\x0bf", "g\x1ch", "i"]


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    files = {
        "ids.txt": "\r\n".join(ODD),
        "ids.csv": "\n".join(["item", *ODD]),
        "ids.jsonl": "\n".join(json.dumps({"item": each}, ensure_ascii=False) for each in ODD),
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
        assert read_ids(tmp_path / name) == ODD, name


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pl.Series([5, None, 2**63], dtype=pl.UInt64), ["5", "9223372036854775808"]),
        (pl.Series([5.0, float("nan"), None, 2.5]), ["5", "2.5"]),
        (pl.Series([b"a", "ü".encode()]), ["a", "ü"]),
        (pl.Series(["a", "b", "a"], dtype=pl.Categorical), ["a", "b", "a"]),
        (pl.Series(["5", "7.5"]).cast(pl.Decimal(10, 2)), ["5", "7.5"]),
    ],
)
def test_parquet_columns_of_any_type(tmp_path: Path, column: pl.Series, texts: list[str]) -> None:
    pl.DataFrame({"item": column}).write_parquet(tmp_path / "[1] ids.parquet")
    assert read_ids(tmp_path / "[1] ids.parquet") == texts


def test_numbers_in_json_are_read_digit_for_digit(tmp_path: Path) -> None:
    (tmp_path / "u.jsonl").write_text('{"item": 18446744073709551616}\n{"item": 5.0}\n{"item": null}\n')
    assert read_ids(tmp_path / "u.jsonl") == ["18446744073709551616", "5"]


def test_ids_from_parquet_and_another_column(tmp_path: Path) -> None:
    pl.DataFrame({"user": [7, None, 8], "item": ["a", "b", "c"]}).write_parquet(tmp_path / "u.parquet")
    assert read_ids(tmp_path / "u.parquet") == ["a", "b", "c"]
    assert read_ids(tmp_path / "u.parquet", "user") == ["7", "8"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("ids.csv", b"a,b\n1,2\n", "has no column 'item'; it has: a, b"),
        ("ids.csv", b"", "has no column 'item'; it has: none"),
        ("ids.jsonl", b'{"items": "a"}', "has no column 'item'; it has: items"),
        ("ids.jsonl", b'{"item": "a"}\n{"item', "line 2 is not JSON"),
        ("ids.jsonl", b"[1]", "line 1 is not an object"),
        ("ids.txt", b"\n \n", "holds no item id; give one a line, or a column 'item'"),
        ("ids.txt", b"caf\xe9", "is not UTF-8 text"),
        ("ids.txt", "a\nb".encode("utf-16-le"), "NUL bytes"),
        ("ids.csv", b'item\n"a\nb\n', "line 3 is not CSV"),
        ("ids.csv", b"title,item\nTyler, the Cook,7\n", "line 2 has 3 fields, the header 2"),
        ("ids.jsonl", b'{"item": {"id": 1}}', r"line 1: \{'id': 1\} is not an id"),
        ("ids.jsonl", b'{"item": "a"}\n{"item": 1e300}', "line 2: .* last digits are lost"),
        ("ids.json", b'["a"]', "is a .json file, which is not read"),
        ("ids.csv.bz2", b"BZh", "is a .bz2 file, which is not read"),
        ("ids.parquet", b"PAR1 cut off", "is not a whole parquet file"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_ids(tmp_path / name)


def test_a_wrong_value_in_parquet_is_told_by_its_row(tmp_path: Path) -> None:
    for column, message in (
        (pl.Series([b"a", b"\xff"]), "row 2: .* not UTF-8"),
        (pl.Series([[1]]), "row 1: "),
    ):
        pl.DataFrame({"item": column}).write_parquet(tmp_path / "ids.parquet")
        with pytest.raises(InputError, match=message):
            read_ids(tmp_path / "ids.parquet")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a,b", ["a,b"]), (" a,b ", ["a,b"]), ("a, b", ["a", "b"]), ('"a,b",c', ["a,b", "c"]),
        ('c, "a,b"', ["c", "a,b"]), ('say "x", c', ['say "x"', "c"]), ("", []), (" , ", []),
        ("a,,b", ["a", "b"]), ('"""q"" x",c', ['"q" x', "c"]),
    ],
)  # fmt: skip
def test_a_text_is_a_known_id_or_a_row_of_csv(text: str, ids: list[str]) -> None:
    assert ids_of_text(text, TextColumn.of(["a,b", "c"])) == ids


@pytest.mark.parametrize("text", ['"a', '"weird joe" x,c', "a\nb"])
def test_a_text_that_is_no_row_of_csv_is_told(text: str) -> None:
    with pytest.raises(InputError, match="is not a list of ids"):
        ids_of_text(text, TextColumn.of(["c"]))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for name in ("none.txt", "none.csv", "none.parquet", "none.jsonl"):
        with pytest.raises(InputError, match="cannot read"):
            read_ids(tmp_path / name)

from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError
from recsys.retrieval.rules import look_up, read_ids
from recsys.text import TextColumn


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ids.txt", "a\n 007 \n\nü\n"),
        ("ids", "\ufeffa\n007\nü"),
        ("ids.csv", 'title,item\n"x, y",a\nz,007\nz,\nz,ü\n'),
        ("ids.tsv", "item\ttitle\na\tx\n007\ty\nü\tz\n"),
        ("ids.jsonl", '{"item": "a"}\n\n{"item": "007", "x": 1}\n{"item": "ü"}\n'),
    ],
)
def test_ids_stay_text_in_every_format(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_ids(tmp_path / name) == ["a", "007", "ü"]


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
        ("ids.parquet", b"PAR1 cut off", "is not a whole parquet file"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_ids(tmp_path / name)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for name in ("none.txt", "none.csv", "none.parquet", "none.jsonl"):
        with pytest.raises(InputError, match="cannot read"):
            read_ids(tmp_path / name)


def test_codes_are_sorted_and_unknown_ids_kept_in_order() -> None:
    found = look_up(["c", "x", "a", "c", "y", "x"], TextColumn.of(["a", "b", "c"]))
    assert found.codes.tolist() == [0, 2]
    assert found.unknown == ["x", "y"]

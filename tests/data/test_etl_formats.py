"""The same rows, however they are written, are the same dataset."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
import zstandard

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl, etl_frame
from recsys.errors import InputError
from recsys.storage.home import Home
from tests.data import etl_logs as logs

ROWS = logs.rows()
NAMES = ["user_id", "item_id", "rating", "timestamp"]


def frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS, schema=NAMES, orient="row")


@pytest.fixture
def expected(home: Home) -> str:
    return logs.dataset(home, logs.text(ROWS), name="expected.csv").hash


def parquet(path: Path) -> bytes:
    frame().write_parquet(path)
    return path.read_bytes()


def test_every_format_is_the_same_dataset(home: Home, expected: str, tmp_path: Path) -> None:
    csv = logs.text(ROWS)
    written: dict[str, str | bytes] = {
        "a.csv": csv,
        "crlf.csv": csv.replace("\n", "\r\n"),
        "bom.csv": b"\xef\xbb\xbf" + csv.encode(),
        "no-end.csv": csv.rstrip("\n"),
        "semicolon.csv": csv.replace(",", ";"),
        "quoted.csv": "\n".join(",".join(f'"{x}"' for x in line.split(",")) for line in csv.splitlines()),
        "a.tsv": csv.replace(",", "\t"),
        "a.txt": csv.replace(",", "\t"),
        "a.dat": logs.text(ROWS, header=None).replace(",", "::"),
        "tab.dat": logs.text(ROWS, header=None).replace(",", "\t"),
        "u.data": logs.text(ROWS, header=None).replace(",", "\t"),
        "a.jsonl": "\n".join(json.dumps(dict(zip(NAMES, row, strict=True))) for row in ROWS),
        "a.ndjson": frame().write_ndjson(),
        "a.parquet": parquet(tmp_path / "frame.parquet"),
        "a.csv.gz": gzip.compress(csv.encode()),
        "a.csv.zst": zstandard.ZstdCompressor().compress(csv.encode()),
        "a.dat.gz": gzip.compress(logs.text(ROWS, header=None).replace(",", "::").encode()),
    }
    for name, content in written.items():
        made = logs.dataset(home, content, name=name)
        assert made.hash == expected, name
        assert logs.accounted(made)
        assert made.manifest["counts"]["read"] == len(ROWS)


def test_a_frame_is_the_same_dataset(home: Home, expected: str) -> None:
    for each in (frame(), frame().lazy(), frame().to_pandas()):
        made = etl_frame(each, EtlOptions(), home)
        assert (made.hash, made.name) == (expected, "frame")
    assert [path.name for path in home.datasets.iterdir() if path.name.startswith(".")] == []


def test_rows_in_any_order_and_in_any_files_are_the_same_dataset(
    home: Home, expected: str, tmp_path: Path
) -> None:
    for seed in range(3):
        turned = logs.shuffled(ROWS, seed)
        folder = tmp_path / f"parts-{seed}"
        folder.mkdir()
        (folder / "b.csv").write_text(logs.text(turned[:20]))
        swapped = [(rating, time, user, item) for user, item, rating, time in turned[20:]]
        (folder / "a.csv").write_text(logs.text(swapped, "rating,timestamp,user_id,item_id"))
        by_folder = etl(EtlOptions(logs=[str(folder)]), home)
        by_glob = etl(EtlOptions(logs=[str(folder / "*.csv")], name="globbed"), home)
        assert by_folder.hash == by_glob.hash == expected
        assert by_folder.split_hash == by_glob.split_hash


def test_other_rows_are_another_dataset(home: Home, expected: str) -> None:
    user, item, rating, time = ROWS[0]
    changed = (
        [(user, item, rating + 1, time), *ROWS[1:]],
        [(user, item, rating, time + 1), *ROWS[1:]],
        ROWS[1:],
    )
    hashes = {logs.dataset(home, logs.text(each)).hash for each in changed}
    assert len(hashes | {expected}) == 4


def test_another_split_has_another_hash(home: Home) -> None:
    text = logs.text(ROWS)
    made = [logs.dataset(home, text, split=split) for split in ("time:0.2", "random:0.2", "time:0.3")]
    assert len({each.hash for each in made}) == 1
    assert len({each.split_hash for each in made}) == 3


def test_adjacency(home: Home) -> None:
    made = logs.dataset(home, "0 7 8 9\n1 7\n\n2\n 3  8 9 \n", name="log.txt")
    assert logs.kept(made).select("user", "item").rows() == [
        ("0", "7"), ("0", "8"), ("0", "9"), ("1", "7"), ("3", "8"), ("3", "9"),
    ]  # fmt: skip
    assert made.manifest["counts"]["dropped"] == {"blank line": 1, "user without items": 1}
    assert logs.accounted(made)


def test_a_header_less_file_takes_positions(home: Home) -> None:
    text = logs.text(ROWS, header=None)
    made = logs.dataset(home, text, user="0", item=1, value=2, time=3)
    assert logs.kept(made).height == len(ROWS)
    with pytest.raises(InputError, match=r"--user POSITION \(0 to 3\) where the file has none"):
        logs.dataset(home, text)
    with pytest.raises(InputError, match="no column '9' for --item; it has: column_0"):
        logs.dataset(home, text, user=0, item=9)


def test_ids_stay_text(home: Home) -> None:
    made = logs.dataset(home, "user,item\n007,0054890\n7,54890\n7,1e5\n007,x y\n")
    assert logs.kept(made).select("user", "item").rows() == [
        ("007", "0054890"), ("007", "x y"), ("7", "1e5"), ("7", "54890"),
    ]  # fmt: skip


def test_ids_written_as_floats_lose_the_point_unless_some_have_another_fraction(home: Home) -> None:
    text = "CustomerID,StockCode\n17850.0,a\n13047.0,b\n17850.0,c.0\n"
    made = logs.dataset(home, text)
    assert logs.kept(made)["user"].to_list() == ["13047", "17850", "17850"]
    assert logs.kept(made)["item"].to_list() == ["b", "a", "c.0"]
    assert "ids of user written as 17850.0 are read as 17850" in made.manifest["notes"]
    mixed = logs.dataset(home, text + "17850,d\nx,a\n")
    assert set(logs.kept(mixed)["user"]) == {"13047", "17850", "x"}
    versions = logs.dataset(home, text + "1.5,a\n")
    assert set(logs.kept(versions)["user"]) == {"13047.0", "17850.0", "1.5"}


def test_latin_1_is_read_and_said(home: Home) -> None:
    made = logs.dataset(home, "user,item\nJosé,a\nZoë,b\nJosé,b\n".encode("latin-1"))
    assert set(logs.kept(made)["user"]) == {"José", "Zoë"}
    assert any(note.startswith("read as latin-1") for note in made.manifest["notes"])
    assert made.manifest["sources"][0]["encoding"] == "latin-1"


def test_quotes_and_line_breaks_inside_fields(home: Home) -> None:
    text = 'user,item,note\na,"x, y","two\nlines"\nb,"say ""hi""",one\na,z,\n'
    made = logs.dataset(home, text)
    assert logs.kept(made)["item"].to_list() == ["x, y", "z", 'say "hi"']


def test_broken_quotes_lose_no_other_row(home: Home) -> None:
    good = [f"u{place % 9},i{place % 11},fine" for place in range(90)]
    text = (
        "\n".join(["user,item,note", 'u1,i1,12" vinyl', *good[:40], 'u2,"i2,never closed', *good[40:]]) + "\n"
    )
    made = logs.dataset(home, text)
    counts = made.manifest["counts"]
    assert counts["read"] == 92
    assert counts["rejected"] == {"a quote is not closed": 1}
    (reject,) = made.rejects().rows(named=True)
    assert (reject["line"], reject["reason"]) == (43, "a quote is not closed")
    assert reject["text"].startswith("u2,")
    assert ("u1", "i1") in logs.kept(made).select("user", "item").rows()


def test_rows_of_the_wrong_length(home: Home) -> None:
    good = "".join(f"u{place % 9},i{place % 11},{logs.START + place}\n" for place in range(90))
    made = logs.dataset(home, f"user,item,time\nu1,i1,{logs.START},extra\nu1\n{good}")
    assert made.manifest["counts"]["rejected"] == {"more than 3 fields": 1, "no item id": 1}
    assert sorted(made.rejects().select("line", "text").rows()) == [
        (2, f"u1,i1,{logs.START},extra"), (3, "u1,,"),
    ]  # fmt: skip


def test_movielens_and_its_tables(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    (folder / "u.data").write_text(
        "1\t10\t5\t881250949\n2\t10\t3\t881250950\n1\t11\t4\t881250951\n2\t12\t2\t881250952\n"
    )
    flags = "|".join(["0", "1", *["0"] * 16, "1"])
    lines = [f"{item}|Película {item}|01-Jan-1995||url|{flags}" for item in (10, 11, 12)]
    (folder / "u.item").write_bytes("\n".join(lines).encode("latin-1"))
    (folder / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    (folder / "README").write_text("not a log")
    made = etl(EtlOptions(logs=[str(folder)]), home)
    items, users = made.items(), made.users()
    assert items is not None
    assert users is not None
    assert items.columns[:2] == ["item", "title"]
    assert items.row(0, named=True)["title"] == "Película 10"
    assert items["genres"].to_list() == ["Action|Western"] * 3
    assert users.row(0, named=True) == {
        "user": "1", "age": "24", "gender": "M", "occupation": "technician", "zip": "85711"
    }  # fmt: skip
    assert made.name == "ml"


def test_movielens_by_name_wants_such_a_log(home: Home, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("user,item\na,b\n")
    with pytest.raises(InputError, match="is not a MovieLens log"):
        etl(EtlOptions(logs=[str(tmp_path / "x.csv")], format="movielens"), home)


def test_ratings_dat_keeps_zeros_and_double_colons(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "tweets"
    folder.mkdir()
    (folder / "ratings.dat").write_text(
        "1::0054890::9::1381945744\n2::0054890::7::1381945745\n2::0000008::7::1381945746\n"
    )
    (folder / "movies.dat").write_text('0054890::Él: "quoted" (1961)::Drama|War\n0000008::B (1894)::Short\n')
    made = etl(EtlOptions(logs=[str(folder)], valid=0, split="random:0.4"), home)
    items = made.items()
    assert items is not None
    assert items.rows() == [("0054890", 'Él: "quoted" (1961)', "Drama|War"), ("0000008", "B (1894)", "Short")]
    assert set(logs.kept(made)["item"]) == {"0054890", "0000008"}


def test_side_tables_find_their_key_by_what_the_log_has(home: Home, tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text(
        "id,book_id,original_title,title\ni1,900,One,First\ni2,901,,Second\ni1,9,x,y\n,5,x,y\n"
    )
    options = {"items": str(tmp_path / "books.csv")}
    log = "user_id,book_id\na,i1\nb,i2\na,i2\n"
    items = logs.dataset(home, log, **options).items()
    assert items is not None
    assert items.select("item", "title").rows() == [("i1", "First"), ("i2", "Second")]
    told = logs.dataset(home, log, **options, item_key="book_id", title="original_title").items()
    assert told is not None
    assert told.select("item", "title").rows()[0] == ("900", "One")
    with pytest.raises(InputError, match="no column 'isbn' for --item-key; it has: id, book_id"):
        logs.dataset(home, log, **options, item_key="isbn")


def test_a_folder_with_train_and_test_keeps_its_split(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    (folder / "train.txt").write_text("0 1 2 3\n1 1 2\n")
    (folder / "test.txt").write_text("0 4\n1 3\n")
    made = etl(EtlOptions(logs=[str(folder)], valid=0), home)
    assert made.manifest["split"]["name"] == "given"
    assert made.split().test.select("user", "item").rows() == [("0", "4"), ("1", "3")]
    whole = etl(EtlOptions(logs=[str(folder)], split="random:0.3", valid=0), home)
    assert whole.hash == made.hash
    assert whole.split().test.height == 2


def test_options_of_the_log_reach_from_the_first_file_to_the_last(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "log.csv").write_text(logs.text(ROWS))
    (folder / "about.csv").write_text("code,colour\n1,red\n")
    made = etl(EtlOptions(logs=[str(folder)]), home)
    assert made.manifest["counts"]["read"] == len(ROWS)
    assert made.manifest["left_out"] == [str(folder / "about.csv")]
    assert isinstance(made, Dataset)

"""Inputs that were misread once: each is read right, or refused with its own cause, and said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl, etl_frame
from recsys.errors import InputError
from recsys.storage.home import Home
from tests.data import etl_logs as logs

PAIRS = [(f"{place % 8}", f"{100 + place // 8 * 3 % 11}") for place in range(48)]
USERS, ITEMS = {user for user, _ in PAIRS}, {item for _, item in PAIRS}


def csv_of(header: str = "user,item", separator: str = ",", pairs: list[tuple[str, str]] = PAIRS) -> str:
    return "\n".join([header, *(separator.join(pair) for pair in pairs)]) + "\n"


def read(home: Home, logs_: list[Path] | list[str], **options: Any) -> Dataset:
    return etl(EtlOptions.of({"logs": [str(log) for log in logs_], "split": "random:0.2", **options}), home)


def ids(made: Dataset) -> tuple[set[str], set[str]]:
    kept = logs.kept(made)
    return set(kept["user"]), set(kept["item"])


def notes(made: Dataset) -> str:
    return "\n".join(made.manifest["notes"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


# Structure


def test_a_readme_beside_a_log_is_left_out_and_said(home: Home, folder: Path) -> None:
    (folder / "a.csv").write_text(csv_of())
    (folder / "README.txt").write_text("Ask before use\nEach line is a purchase\n")
    (folder / "words.txt").write_text("this is prose\nand so it goes on and on\n")
    (folder / "_delta_log").mkdir()
    (folder / "_delta_log" / "0.json").write_text("{}\n")
    made = read(home, [folder])
    assert ids(made) == (USERS, ITEMS)
    assert {Path(path).name for path in made.manifest["left_out"]} == {"README.txt", "words.txt", "0.json"}
    for name in ("README.txt", "words.txt", "0.json"):
        assert name in notes(made)


def test_an_empty_part_is_left_out_of_a_glob_and_of_a_list(home: Home, folder: Path) -> None:
    frame = pl.DataFrame(PAIRS, schema=["user", "item"], orient="row")
    frame.clear().write_parquet(folder / "part-0.parquet")
    frame.write_parquet(folder / "part-1.parquet")
    for asked in ([folder / "part-*.parquet"], sorted(folder.iterdir())):
        made = read(home, asked, name="log")
        assert made.manifest["counts"]["read"] == 48
        assert "left out" in notes(made)
    with pytest.raises(InputError, match="has no rows"):
        read(home, [folder / "part-0.parquet"])


@pytest.mark.parametrize("word", ["År", "全", "公", "х"])
def test_any_byte_may_stand_in_a_header(home: Home, word: str) -> None:
    text = "\n".join([f"{word};user;item", *(f"2020;{user};{item}" for user, item in PAIRS)])
    assert ids(logs.dataset(home, text, split="random:0.2")) == (USERS, ITEMS)


def test_spaces_around_fields_are_no_part_of_them(home: Home) -> None:
    text = "user_id, item_id, rating, timestamp\n" + "".join(
        f'{user}, "{item}" , 5, {logs.START + place}\n' for place, (user, item) in enumerate(PAIRS)
    )
    made = logs.dataset(home, text)
    assert ids(made) == (USERS, ITEMS)
    assert made.manifest["time"] == "seconds since 1970"


TRIPLES = "".join(f"{user} {item} {1 + place % 5}\n" for place, (user, item) in enumerate(PAIRS))


def test_lines_of_equal_length_are_no_adjacency_list_by_accident(home: Home) -> None:
    with pytest.raises(InputError, match=r"48 lines has 3 fields between spaces.*--separator space"):
        logs.dataset(home, TRIPLES, name="log.txt")
    made = logs.dataset(
        home, TRIPLES, name="log.txt", separator="space", user=0, item=1, value=2, split="random:0.2"
    )
    assert ids(made) == (USERS, ITEMS)
    assert sum(logs.kept(made)["weight"]) == sum(1 + place % 5 for place in range(48))
    headed = logs.dataset(
        home, "user  item\trating\n" + TRIPLES.replace(" ", "   "), name="log.txt", split="random:0.2"
    )
    assert logs.kept(headed).equals(logs.kept(made))


@pytest.mark.parametrize("separator", ["::", "§", "<>", "\\t", "tab", ";", "~"])
def test_a_separator_can_be_given(home: Home, separator: str) -> None:
    text = csv_of(f"user{separator}item", separator).replace("\\t", "\t").replace("tab", "\t")
    made = logs.dataset(home, text, separator=separator, split="random:0.2")
    assert ids(made) == (USERS, ITEMS)


def test_a_header_of_other_than_usual_words_is_said_and_can_be_given(home: Home) -> None:
    text = csv_of("kunde,artikel")
    made = logs.dataset(home, text, user=0, item=1, split="random:0.2")
    assert made.manifest["counts"]["read"] == 49
    assert (
        "the first line (kunde, artikel) is read as a row; where it is a header, give --header yes"
        in notes(made)
    )
    headed = logs.dataset(home, text, user=0, item=1, header=True, split="random:0.2")
    assert ids(headed) == (USERS, ITEMS)
    assert "is read as a row" not in notes(headed)


def test_brackets_may_stand_in_any_path(tmp_path: Path) -> None:
    home = Home(tmp_path / "home [v2]")
    place = tmp_path / "in [a-z]*"
    place.mkdir()
    (place / "log [1].csv").write_text(csv_of('user,item,"note"').replace("\n", ',"x\ny"\n', 2))
    (place / "items [1].csv").write_text("item,title\n100,A\n")
    made = read(home, [place / "log [1].csv"], items=str(place / "items [1].csv"))
    assert made.manifest["counts"]["read"] == 48
    assert made.items() is not None
    from recsys.data.description import describe

    describe(made)


def test_standard_input_is_a_log(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "from recsys.cli.main import main; main()"]
    words += ["etl", "-", "--home", str(tmp_path / "home"), "--json"]
    done = subprocess.run(words, input=csv_of(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    assert manifest["name"] == "stdin"
    assert manifest["counts"]["read"] == 48
    assert manifest["sources"][0]["path"] == "standard input"
    empty = subprocess.run(words, input="", capture_output=True, text=True, timeout=60)
    assert empty.returncode == 2
    assert "standard input is empty" in empty.stderr


def test_folders_give_their_columns(home: Home, folder: Path) -> None:
    for day in range(4):
        part = folder / f"date=2024-01-0{day + 1}" / "shop=a%20b"
        part.mkdir(parents=True)
        (part / "part.csv").write_text(csv_of(pairs=PAIRS[12 * day : 12 * day + 12]))
    made = etl(EtlOptions(logs=[str(folder)]), home)
    assert made.manifest["columns"]["time"] == {"column": "date", "guessed": True}
    assert made.manifest["sizes"]["test"]["rows"] == 12  # the newest of four days
    assert logs.kept(made)["time"].n_unique() == 4
    with pytest.raises(InputError, match=r"only one user in the log \('a b'\)"):
        etl(EtlOptions(logs=[str(folder)], user="shop"), home)
    glob = etl(EtlOptions(logs=[f"{folder}/*/*/part.csv"], name="log", time="date"), home)
    assert glob.hash == made.hash


# Ids


def test_an_object_is_no_id_and_its_fields_are_named(home: Home) -> None:
    lines = [
        {"user": {"id": user, "plan": place % 2}, "item_id": item} for place, (user, item) in enumerate(PAIRS)
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    with pytest.raises(InputError, match=r"'user' of .* holds user\.id, user\.plan; give --user user\.id"):
        logs.dataset(home, text, name="log.jsonl")
    made = logs.dataset(home, text, name="log.jsonl", user="user.id", split="random:0.2")
    assert ids(made) == (USERS, ITEMS)


def test_keys_that_come_late_are_found(home: Home) -> None:
    lines = [{"user_id": f"u{place % 9}", "item_id": f"i{place % 13}"} for place in range(400)]
    timed = [line | {"timestamp": logs.START + place} for place, line in enumerate(lines)]
    text = "\n".join(json.dumps(line) for line in [*lines[:250], *timed[250:]])
    with pytest.raises(InputError, match="no time"):
        logs.dataset(home, text, name="log.jsonl")
    made = logs.dataset(home, text, name="log.jsonl", time="timestamp", max_rejects="99%")
    assert made.manifest["counts"]["rejected"] == {"no time": 250}


def test_structs_of_parquet_have_dotted_names_and_positions_count_all_columns(home: Home) -> None:
    frame = pl.DataFrame(
        {
            "tags": [["a"]] * 48,
            "user": [{"id": int(user), "name": "x"} for user, _ in PAIRS],
            "item": [item for _, item in PAIRS],
        }
    )
    options = EtlOptions.of({"user": "user.id", "item": "2", "split": "random:0.2"})
    assert ids(etl_frame(frame, options, home)) == (USERS, ITEMS)
    with pytest.raises(InputError, match="'tags' of frame is not one value"):
        etl_frame(frame, EtlOptions.of({"user": "0", "item": "2"}), home)


def test_bytes_that_are_no_text_are_refused_only_where_they_are_asked_for(home: Home) -> None:
    frame = pl.DataFrame({"user": [b"\xff\xfe"] * 3, "item": ["a", "b", "c"], "member": ["x", "y", "x"]})
    with pytest.raises(InputError, match="column 'user' of frame is binary and not UTF-8"):
        etl_frame(frame, EtlOptions(), home)
    assert etl_frame(frame, EtlOptions(user="member", split="random:0.4"), home)


def test_pandas_files_of_whole_and_of_float_ids_agree(home: Home, folder: Path) -> None:
    (folder / "jan.csv").write_text(csv_of(pairs=PAIRS[:24]))
    (folder / "feb.csv").write_text(csv_of(pairs=[(f"{user}.0", item) for user, item in PAIRS[24:]]) + ",9\n")
    floats = pl.DataFrame({"user": [float(user) for user, _ in PAIRS] + [float("nan")],
                           "item": [item for _, item in PAIRS] + ["9"]})  # fmt: skip
    floats.write_parquet(folder / "mar.parquet")
    made = read(home, [folder])
    assert ids(made) == (USERS, ITEMS)
    assert made.manifest["counts"]["rejected"] == {"no user id": 2}
    assert "ids of user written as 17850.0 are read as 17850" in notes(made)


def test_words_for_a_missing_id_are_named_when_they_own_rows(home: Home) -> None:
    pairs = [
        *PAIRS,
        *(("NULL", f"{place}") for place in range(7)),
        *(("nan", f"{place}") for place in range(3)),
    ]
    made = logs.dataset(home, csv_of(pairs=pairs), split="random:0.2")
    assert "user 'NULL' has 7 rows: such a word often means a missing id" in notes(made)
    assert "'nan'" not in notes(made)


# Meaning


def test_a_condition_needs_only_the_columns_it_names(home: Home, folder: Path) -> None:
    (folder / "a.csv").write_text("user,item,qty,extra\na,x,1,?\nb,y,2,?\nc,z,3,?\na,y,2,?\n")
    (folder / "b.csv").write_text("item,user,qty\nx,c,5\n")
    made = read(home, [folder], keep=["qty > 1"], max_rejects=0)
    assert made.manifest["counts"]["dropped"] == {"--keep qty > 1": 1}
    (folder / "c.csv").write_text("item,user\nx,c\n")
    with pytest.raises(InputError, match=r"names a column 'qty', which .*c\.csv lacks"):
        read(home, [folder], keep=["qty > 1"])


@pytest.mark.parametrize("value", ["1e39", "-1e39", "1e-50", "inf", "nan", "x"])
def test_a_value_that_is_no_weight_is_rejected(home: Home, value: str) -> None:
    text = csv_of("user,item,weight").replace("\n", ",2\n")[:-1].replace(",weight,2", ",weight")
    made = logs.dataset(home, text + f"9,100,{value}\n", split="random:0.2")
    assert sum(made.manifest["counts"]["rejected"].values()) == 1
    assert logs.kept(made)["weight"].is_finite().all()


def test_sums_stay_finite(home: Home) -> None:
    text = "user,item,weight\n" + "a,x,3e38\n" * 3 + "b,y,1\na,y,1\n"
    made = logs.dataset(home, text, split="random:0.3", on_repeat="sum")
    assert logs.kept(made)["weight"].is_finite().all()


def test_rows_below_the_threshold_are_kept_as_known(home: Home) -> None:
    table = [("a", "x", 5, 1), ("a", "y", 1, 2), ("b", "x", 4, 3), ("b", "z", 2, 4), ("b", "z", 1, 5),
             ("a", "x", 1, 6), ("c", "y", 5, 7), ("c", "x", 5, 8)]  # fmt: skip
    made = logs.dataset(
        home, logs.text([(user, item, stars, logs.START + time) for user, item, stars, time in table]),
        positive_from=4, split="last:1", valid=0,
    )  # fmt: skip
    known = made.known().sort("user", "item")
    assert known.select("user", "item", "weight").rows() == [("a", "y", 1.0), ("b", "z", 1.0)]
    assert made.manifest["counts"]["dropped"] == {"--positive-from 4": 4}
    assert logs.dataset(home, logs.text(logs.rows())).known().is_empty()


def test_stars_without_a_threshold_are_warned_of(home: Home) -> None:
    assert "a row with the lowest rating (1 of 1 to 5) is a weak like" in notes(
        logs.dataset(home, logs.text(logs.rows()))
    )


# Names and messages


def test_names_keep_letters_of_any_script(home: Home, tmp_path: Path) -> None:
    for name, called in (
        ("продажи.csv", "продажи"),
        ("注文 1.csv.gz", "注文-1"),
        ("हिन्दी.csv", "हिन्दी"),
        ("~.csv", "log"),
    ):
        (tmp_path / name).write_text(csv_of())
        assert read(home, [tmp_path / name]).name == called


def test_a_dataset_made_from_other_files_is_replaced_and_said(home: Home, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.csv").write_text(csv_of())
    read(home, [tmp_path / "a" / "log.csv"])
    assert "replaced" not in notes(read(home, [tmp_path / "a" / "log.csv"]))
    assert f"made from {tmp_path / 'a' / 'log.csv'}, is replaced" in notes(
        read(home, [tmp_path / "b" / "log.csv"])
    )


def test_what_cannot_be_read_of_a_side_table_is_said(home: Home, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text('item,title\n100,"The, First\n103,Second\n106,Third\n')
    made = logs.dataset(home, csv_of(), items=str(tmp_path / "items.csv"), split="random:0.2")
    assert "a row of" in notes(made)
    assert "cannot be read, and is left out (line 2: a quote is not closed)" in notes(made)


# The law of it all

cells = st.text(st.sampled_from(["a", "7", '"', ",", ";", "\t", " ", "é", "\\", "'", ".", "-"]), max_size=5)


@settings(deadline=None, max_examples=60)
@given(table=st.lists(st.tuples(cells, cells, cells), max_size=9), name=st.sampled_from(["l.csv", "l.tsv"]))
def test_each_line_of_a_log_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]], name: str
) -> None:
    """Rows read are the lines, and each was kept, merged, dropped or rejected; whatever is in them."""
    home = Home(tmp_path_factory.mktemp("home"))
    separator = "," if name == "l.csv" else "\t"
    good = [(f"u{place % 4}", f"i{place % 5}", "fine") for place in range(20)]
    lines = [separator.join(row) for row in [("user", "item", "note"), *good, *table]]
    made = logs.dataset(home, "\n".join(lines) + "\n", name=name, split="random:0.2", max_rejects=1)
    counts = made.manifest["counts"]
    assert logs.accounted(made)
    rejects = made.rejects()
    assert rejects.height == sum(counts["rejected"].values())
    assert counts["read"] <= len(lines) - 1
    if not any('"' in line for line in lines):
        assert counts["read"] == len(lines) - 1
    kept = logs.kept(made)
    assert set(kept["user"]) >= {"u0", "u1", "u2", "u3"}
    assert not kept["user"].str.contains("\n").any() or any('"' in line for line in lines)


@pytest.mark.parametrize(
    ("frame", "options"),
    [
        (pl.DataFrame({"user": [b"\xff"], "item": ["x"]}), {}),
        (pl.DataFrame({"user": ["a"], "item": ["x"], "time": ["soon"]}), {}),
        (pl.DataFrame({"user": [None], "item": ["x"]}), {}),
        (pl.DataFrame({"user": ["a"], "item": [{"id": "x"}]}), {"item": "item.id"}),
    ],
)
def test_no_scratch_path_and_no_column_of_ours_reaches_a_message(
    home: Home, frame: pl.DataFrame, options: dict[str, Any]
) -> None:
    with pytest.raises(InputError) as caught:
        etl_frame(frame, EtlOptions.of(options), home)
    assert "/scratch" not in str(caught.value)
    assert ".partial" not in str(caught.value)
    assert "recsys line" not in str(caught.value)


def test_a_damaged_page_of_parquet_is_a_broken_file(home: Home, folder: Path) -> None:
    path = folder / "log.parquet"
    pl.DataFrame(PAIRS, schema=["user", "item"], orient="row").write_parquet(path)
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"broken|not a whole parquet file"):
        read(home, [path])


def test_a_blank_first_line_is_no_header_of_no_columns(home: Home) -> None:
    with pytest.raises(InputError, match="no column has a usual name for the user"):
        logs.dataset(home, "  \n" + TRIPLES, name="log.txt", separator="space", header=True)


@pytest.mark.parametrize(
    "page", ["<!DOCTYPE html><p>Not found", "\n <html lang=en>", "<?xml version='1.0'?>"]
)
def test_a_web_page_is_no_log(home: Home, page: str) -> None:
    with pytest.raises(InputError, match="is a web page or XML and not a log"):
        logs.dataset(home, page + "\nuser item\na b\n", name="ratings.csv")


def test_what_is_taken_for_an_adjacency_list_is_said(home: Home) -> None:
    made = logs.dataset(home, "a x y z\nb y\nc x z\n", name="log.txt", split="random:0.2")
    assert "read as a user and the items of that user a line (adjacency)" in notes(made)
    asked = logs.dataset(
        home, "a x y z\nb y\nc x z\n", name="log.txt", split="random:0.2", format="adjacency"
    )
    assert "adjacency" not in notes(asked)

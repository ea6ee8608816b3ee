"""Bad input: one line that says what, the value, what is allowed and what to do; nothing half-written."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.errors import InputError, RecsysError
from recsys.storage.home import Home
from tests.data import etl_logs as logs

GOOD = logs.text(logs.rows())
NOW = "user,item,time\n" + "".join(f"u{place % 3},i{place},{{}}\n" for place in range(9))

BAD: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, "is empty; give a file with rows"),
    "header only": ("user,item\n", {}, "has a header and no rows; give a file with rows"),
    "missing column": (GOOD, {"item": "isbn"}, "has no column 'isbn' for --item; it has: user_id, item_id"),
    "no usual name": ("a,b\n1,2\n", {}, "has no usual column name; give --user NAME"),
    "no item": (
        "user,thing\n1,2\n",
        {},
        "no column has a usual name for the item; give --item, one of: user, thing",
    ),
    "one column twice": (GOOD, {"user": "item_id", "item": "item_id"}, "cannot be both user and item"),
    "one user": ("user,item\na,x\na,y\n", {}, r"only one user in the log \('a'\).*check --user"),
    "one item": ("user,item\na,x\nb,x\n", {}, r"only one item in the log \('x'\).*check --item"),
    "mixed types": (
        "user,item,rating\n"
        + "".join(f"u{place},i{place},{'good' if place % 3 else 4}\n" for place in range(9)),
        {},
        r"6 of 9 rows \(66.7%\) cannot be used: 6 rating is not a finite number; for example .*csv line 3: "
        r"'u1,i1,good'.*--max-rejects 5%",
    ),
    "NaN weights": ("user,item,weight\na,x,nan\nb,y,1\n", {}, "1 weight is not a finite number"),
    "no ids": ("user,item\n,x\nb,\nc, \nd,y\n", {}, "2 no item id, 1 no user id"),
    "times before 1990": (
        NOW.format(*["5000"] * 9),
        {},
        "column 'time' has times such as '5000': before 1990",
    ),
    "times of the future": (
        NOW.format(*["2999-01-01"] * 9),
        {},
        "2999-01-01 00:00:00, which is before 1990 or in the",
    ),
    "few of the future": (
        NOW.format(*["1600000000"] * 8, "9999999999"),
        {},
        "1 time in the future; for example",
    ),
    "times that are none": (
        NOW.format(*["soon"] * 9),
        {},
        "neither a number nor an ISO time; give --time-format",
    ),
    "either way": (
        NOW.format(*["01/02/2020"] * 9),
        {},
        "month or day first; give --time-format '%m/%d/%Y' or '%d/",
    ),
    "wrong format": (
        NOW.format(*["01.02.2020"] * 9),
        {"time_format": "%Y"},
        "--time-format '%Y' reads no time",
    ),
    "nothing left": (
        GOOD,
        {"keep": ["rating > 99"]},
        r"no row is left of 35: 0 cannot be used and 35 were left out",
    ),
    "no SQL": (GOOD, {"keep": ["rating >"]}, "is not an SQL condition"),
    "SQL of no column": (
        GOOD,
        {"keep": ["stars > 1"]},
        "names a column 'stars', which .* lacks; it has: user_id",
    ),
    "SQL that is no condition": (
        GOOD,
        {"keep": ["rating + 1"]},
        "does not fit the columns .*not true or false",
    ),
    "no times": (
        "user,item\na,x\nb,y\n",
        {"since": "2020-01-01"},
        "need times and the log has none; give --time",
    ),
    "no such time": (GOOD, {"since": "soon"}, "--since 'soon' is not a time; give for example 2024-01-31"),
    "no split": (GOOD, {"split": "time:2"}, "share is 2; give one from 0 to 1"),
    "one moment": (
        NOW.format(*["1600000000"] * 9),
        {},
        "split time:0.2 leaves no row for test .*all rows are of one",
    ),
    "thresholds": (GOOD, {"min_user": 99}, "leaves no row for train .*lower --min-user"),
    "UTF-16": (GOOD.encode("utf-16"), {}, "is UTF-16 text; save it as UTF-8"),
    "cut-off gzip": (
        gzip.compress(GOOD.encode() * 50)[:-30],
        {"name_": "log.csv.gz"},
        "is cut off or broken .*again",
    ),
    "no parquet": (GOOD, {"name_": "log.parquet"}, "is not a whole parquet file .*fetch it again"),
    "no JSON": (GOOD, {"name_": "log.jsonl"}, "holds no JSON objects, one a line"),
    "no adjacency": ("\n\n", {"format": "adjacency"}, "no row is left"),
    "no event": (GOOD, {"event_weights": {"view": 1}}, "--event-weights needs a column of events"),
    "no value": ("user,item\na,x\nb,y\n", {"positive_from": 3}, "--positive-from needs a column of values"),
    "name": (GOOD, {"name": "../up"}, "'../up' cannot be a name"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_one_line_and_changes_nothing(home: Home, case: str) -> None:
    before = logs.dataset(home, GOOD, name="log.csv").hash
    text, asked, message = BAD[case]
    options = {key: value for key, value in asked.items() if key != "name_"}
    with pytest.raises(InputError, match=message) as caught:
        logs.dataset(home, text, **{"name": asked.get("name_", "log.csv")}, **_renamed(options))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert [path.name for path in home.datasets.iterdir()] == ["log"]
    from recsys.data.dataset import Dataset

    assert Dataset.open(home).hash == before


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    return {("dataset_name" if key == "name" else key): value for key, value in options.items()}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"on_repeat": "mean"}, "on_repeat = 'mean': Input should be 'last', 'first' or 'sum'"),
        ({"margn": 1}, "margn: there is no such option; there are: logs, name, format"),
        ({"half_life": "long"}, "half_life = 'long': 'long' is not a duration; give a number and one of"),
        ({"valid": 1}, "valid = 1: Input should be less than 1"),
        ({"min_user": 0}, "min_user = 0: Input should be greater than or equal to 1"),
        ({"max_rejects": "many"}, "max_rejects = 'many'"),
        ({"event_weights": {"view": 0}}, "the weight of 'view' is 0; give one above 0"),
        ({"split": "last:1", "test": "x"}, "give either split or test"),
        ({"item_key": "id"}, "item_key needs items"),
        ({"format": "xml"}, "format = 'xml': Input should be 'auto', 'csv'"),
        ({"on_repeat": "mean", "valid": 2}, "on_repeat.*valid"),
    ],
)  # fmt: skip
def test_options_are_checked_all_at_once(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EtlOptions.of({"logs": ["log.csv"], **values})


def test_what_is_not_there(home: Home, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "photo.png").touch()
    for log, message in (
        ("absent.csv", "there is no file or folder 'absent.csv'"),
        ("absent-*.csv", r"no file matches 'absent-\*.csv'"),
        (str(tmp_path / "nothing"), "holds nothing readable; files must be csv, tsv, parquet"),
    ):
        with pytest.raises(InputError, match=message):
            etl(EtlOptions(logs=[log]), home)
    with pytest.raises(InputError, match="there is no log; give a file"):
        etl(EtlOptions(), home)
    for option in ("test", "items", "users"):
        with pytest.raises(InputError, match=r"there is no file or folder 'gone\.csv'"):
            logs.dataset(home, GOOD, **{option: "gone.csv"})
    assert not home.names("dataset")


def test_files_of_unlike_columns(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "unlike"
    folder.mkdir()
    (folder / "a.csv").write_text("user,item,time\na,x,1600000000\n")
    (folder / "b.csv").write_text("user,item\nb,y\n")
    with pytest.raises(InputError, match=r"a\.csv has a time column and .*b\.csv has none; give --time none"):
        etl(EtlOptions(logs=[str(folder)]), home)


def test_rejects_within_the_limit_are_kept_apart(home: Home) -> None:
    made = logs.dataset(home, GOOD + ",i1,3,1600000000\nu1,i1,3,soon\n", max_rejects="10%")
    assert made.manifest["counts"]["rejected"] == {"no user id": 1, "time is not seconds since 1970": 1}
    path = str(home.path.parent / "log.csv")
    assert made.rejects().sort("line").rows() == [
        (path, 37, "no user id", ",i1,3,1600000000"),
        (path, 38, "time is not seconds since 1970", "u1,i1,3,soon"),
    ]


def test_a_full_disk_is_one_error_and_leaves_the_earlier_dataset(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = logs.dataset(home, GOOD).hash

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_ipc", full)
    with pytest.raises(
        RecsysError, match="No space left on device; free some space or choose another place"
    ) as caught:
        logs.dataset(home, GOOD, seed=1)
    assert caught.value.exit_code == 1
    monkeypatch.undo()
    assert [path.name for path in home.datasets.iterdir()] == ["log"]
    assert logs.dataset(home, GOOD).hash == before

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.data.dataset import Dataset
from recsys.storage.home import Home
from tests.data import etl_logs as logs

ROWS = logs.rows()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(logs.text([*ROWS, ROWS[0]]) + ",i1,3,1600000000\n")
    return path


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["etl", "--home", str(home.path), *words])


def test_json_is_the_manifest(home: Home, log: Path) -> None:
    result = call(home, str(log), "--json", "--max-rejects", "5%")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == Dataset.open(home).manifest
    assert document["counts"] == {
        "read": 37, "rejected": {"no user id": 1}, "dropped": {}, "merged": 1, "in_train": 0,
        "outside_core": 0,
        "train": 25, "valid": 3, "test": 7,
    }  # fmt: skip


def test_people_see_what_was_guessed_where_rows_went_and_what_is_next(home: Home, log: Path) -> None:
    result = call(home, str(log), "--name", "mine")
    assert result.exit_code == 0, result.output
    assert (
        "columns: user = user_id, item = item_id, time = timestamp, value = rating (guessed:" in result.stderr
    )
    assert "time: seconds since 1970" in result.stderr
    for told in (
        "37  rows read", "-1  unusable: no user id", "-1  repeats of a user and item",
        "35  interactions kept",
        "split time:0.2", "rejects.parquet", "dataset mine", "next: recsys train",
    ):  # fmt: skip
        assert told in result.stdout
    assert home.current("dataset") == "mine"


def test_quiet_says_the_result_only(home: Home, log: Path) -> None:
    result = call(home, str(log), "--quiet")
    assert result.stderr == ""
    assert "interactions kept" in result.stdout


def test_every_option_reaches_the_dataset(home: Home, log: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("key,label\ni1,One\n")
    (tmp_path / "users.csv").write_text("user,age\nu1,30\n")
    options = {
        "--name": "all", "--format": "csv", "--user": "user_id", "--item": "item_id", "--time": "timestamp",
        "--value": "rating", "--positive-from": "2", "--half-life": "30d", "--since": "2020-01-01",
        "--until": "2030-01-01", "--min-user": "2", "--min-item": "2", "--on-repeat": "first",
        "--split": "last:1",
        "--valid": "0.2", "--seed": "3", "--items": str(tmp_path / "items.csv"), "--item-key": "key",
        "--title": "label", "--users": str(tmp_path / "users.csv"), "--max-rejects": "0.5",
        "--keep": "rating < 5",
    }  # fmt: skip
    result = call(home, str(log), *(word for pair in options.items() for word in pair), "--json")
    assert result.exit_code == 0, result.output
    asked = json.loads(result.stdout)["options"]
    for option, value in options.items():
        found = asked[option.removeprefix("--").replace("-", "_")]
        assert found in ([value], value) or float(found) == float(value)
    items = Dataset.open(home).items()
    assert items is not None
    assert items.rows() == [("i1", "One")]


def test_events(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("visitorid,itemid,event\n1,a,view\n1,b,purchase\n2,a,view\n2,b,addtocart\n")
    result = call(home, str(path), "--event-weights", "view=1,purchase=10", "--split", "random:0.4", "--json")
    assert json.loads(result.stdout)["counts"]["dropped"] == {"event has no weight (--event-weights)": 1}
    for wrong in ("view", "view=many", "=1", "view=1,,"):
        result = call(home, str(path), "--event-weights", wrong)
        assert result.exit_code == 2
        assert "give KIND=WEIGHT, as view=1,cart=3,purchase=10" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.csv"], "there is no file or folder 'absent.csv'"),
        (["LOG", "--split", "sometimes"], "unknown split 'sometimes'; there are: time:0.2, users:0.1"),
        (["LOG", "--on-repeat", "mean", "--valid", "2"], "on_repeat = 'mean'"),
        (["LOG", "--item", "isbn"], "has no column 'isbn' for --item"),
        (["LOG", "--max-rejects", "0%"], "1 no user id; for example"),
        (["LOG", "--test", "gone.csv"], "there is no file or folder 'gone.csv'"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_2(home: Home, log: Path, words: list[str], said: str) -> None:
    result = call(home, *(str(log) if word == "LOG" else word for word in words), "--quiet")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert home.names("dataset") == []
    assert not home.datasets.exists() or not list(home.datasets.iterdir())

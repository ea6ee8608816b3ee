import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from recsys.cli.describe import WIDTH, bar, sparkline
from recsys.cli.main import app
from recsys.data.description import gini, share_of_top, spread
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.synthetic import planted
from recsys.storage.home import Home


def dataset(home: Home, folder: Path, table: pl.DataFrame, **options: Any) -> None:
    table.write_csv(folder / "log.csv")
    etl(EtlOptions(logs=[str(folder / "log.csv")], **options), home)


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["describe", "--home", str(home.path), *words])


@pytest.fixture
def made(home: Home, tmp_path: Path) -> Home:
    days = [(f"u{user}", "hit", user) for user in range(8)]
    days += [("u0", "rare", 1), ("u0", "late", 30), ("new", "late", 31)]
    rows = [(user, item, 1_640_995_200 + 86_400 * day) for user, item, day in days]
    frame = pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row")
    dataset(home, tmp_path, frame, name="tiny", split="time:0.2", valid=0.0)
    return home


def test_counts_density_tail_and_cold(made: Home) -> None:
    found = json.loads(call(made, "--json").stdout)
    assert (found["interactions"], found["users"], found["items"]) == (11, 9, 3)
    assert found["density"] == pytest.approx(11 / 27)
    assert found["tail"]["top_1_percent"] == pytest.approx(8 / 11)
    assert {part: size["rows"] for part, size in found["parts"].items()} == {
        "train": 9,
        "valid": 0,
        "test": 2,
    }
    assert found["cold"] == {"users": 1, "users_rows": 1, "items": 1, "items_rows": 2}
    assert found["per_user"]["histogram"] == [{"from": 1, "count": 8}, {"from": 2, "count": 1}]
    assert (found["time"]["from"], found["time"]["days"]) == ("2022-01-01T00:00:00", 31)
    assert sum(found["time"]["spans"]) == 11
    assert found["titled_items"] is None


def test_people_get_plots(made: Home) -> None:
    shown = call(made, "tiny").stdout
    assert "11 interactions of 9 users with 3 items, density 40.741%" in shown
    assert "█" in shown
    assert "cold in test: 1 users (50.0% of its rows), 1 items (100.0%)" in shown


def test_a_log_without_times_says_so(home: Home, tmp_path: Path) -> None:
    dataset(home, tmp_path, planted(users=30, items=20, rows=300)[0].select("user", "item"), name="untimed")
    assert json.loads(call(home, "--json").stdout)["time"] is None
    assert "the log has no times" in call(home).stdout


def test_no_dataset_or_an_unknown_one_is_exit_2(home: Home) -> None:
    assert call(home).exit_code == 2
    result = call(home, "nothing")
    assert result.exit_code == 2
    assert "there is no dataset 'nothing'" in result.stderr


def pairwise(counts: list[int]) -> float:
    """The definition: mean absolute difference over twice the mean."""
    gaps = [abs(a - b) for a in counts for b in counts]
    return sum(gaps) / len(gaps) / (2 * sum(counts) / len(counts))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_gini_is_the_mean_difference_over_twice_the_mean(counts: list[int]) -> None:
    assert gini(np.array(counts)) == pytest.approx(pairwise(counts), abs=1e-12)
    assert 0 < share_of_top(np.array(counts), 0.1) <= 1
    assert sum(step["count"] for step in spread(np.array(counts))["histogram"]) == len(counts)


@given(st.lists(st.integers(0, 1000), max_size=30), st.floats(0, 1))
def test_plots_have_their_size_and_hide_nothing(values: list[int], share: float) -> None:
    line = sparkline(values)
    assert len(line) == len(values)
    assert all((character == " ") == (value == 0) for character, value in zip(line, values, strict=True))
    assert len(bar(share)) == WIDTH
    assert (bar(share).strip() == "") == (share == 0)


@pytest.mark.realdata
def test_movielens_is_described(home: Home, realdata: Path) -> None:
    etl(EtlOptions(logs=[str(realdata / "ml-100k" / "u.data")], name="ml-100k"), home)
    found = json.loads(call(home, "--json").stdout)
    assert (found["interactions"], found["users"], found["items"]) == (100_000, 943, 1682)
    assert found["titled_items"] == 1682

import json
import shutil
import socket
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.storage.home import Home
from recsys.tracking.mlflow_tracker import MlflowTracker
from tests.tracking.finished import finished


def call(home: Home, *words: str, width: int | None = None) -> Result:
    columns = {"COLUMNS": None if width is None else str(width)}
    return CliRunner().invoke(app, ["runs", "--home", str(home.path), *words], env=columns)


def listed(home: Home, *words: str) -> list[str]:
    result = call(home, *words, "--json")
    assert result.exit_code == 0, result.stderr
    return [run["run"] for run in json.loads(result.stdout)["runs"]]


def test_without_runs_it_says_how_to_make_one_and_makes_nothing(home: Home) -> None:
    result = call(home)
    assert result.exit_code == 0
    assert "recsys train" in result.stdout
    assert not home.path.exists()


def test_runs_are_listed_newest_first_with_their_aliases(tracked_home: Home) -> None:
    finished(tracked_home, "old", created="2026-01-01T00:00:00+00:00", valid=0.9, loss="bpr")
    finished(tracked_home, "new", created="2026-01-02T00:00:00+00:00", valid=0.1)
    document = json.loads(call(tracked_home, "--sync", "--json").stdout)
    assert document["synced"] == ["old", "new"]
    new, old = document["runs"]
    assert (new["run"], new["current"], new["champion"], new["logged"]) == ("new", True, False, True)
    assert (old["run"], old["current"], old["champion"], old["loss"]) == ("old", False, True, "bpr")
    assert new["metrics"] == {"ndcg@10": 0.5, "recall@20": 0.5}
    table = call(tracked_home).stdout
    assert table.index("new") < table.index("old")
    assert "champion" in table
    assert "not in MLflow" not in table


def test_what_mlflow_does_not_have_is_read_from_the_run_folders(tracked_home: Home) -> None:
    finished(tracked_home)
    (run,) = json.loads(call(tracked_home, "--json").stdout)["runs"]
    assert not run["logged"]
    assert "recsys runs --sync" in call(tracked_home).stdout


def test_a_server_that_is_down_is_a_warning_and_for_sync_an_error(
    tracked_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free.getsockname()[1]}")
    finished(tracked_home)
    result = call(tracked_home, "--from", "mlflow", "--json")
    assert result.exit_code == 0
    assert [run["run"] for run in json.loads(result.stdout)["runs"]] == ["run-1"]
    assert result.stderr.startswith("warning: MLflow could not be read")
    failed = call(tracked_home, "--sync")
    assert failed.exit_code == 1
    assert "error: " in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_run_that_was_stopped_says_how_to_go_on(home: Home) -> None:
    (home.runs / "stopped" / "checkpoints").mkdir(parents=True)
    assert json.loads(call(home, "--json").stdout)["unfinished"] == ["stopped"]
    assert "recsys train --resume stopped" in call(home).stdout


def test_the_working_folder_stays_clean(
    tracked_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    finished(tracked_home)
    assert call(tracked_home, "--sync").exit_code == 0
    assert list((tmp_path / "here").iterdir()) == []


LONG = "two-tower-multi-similarity-2026010{}-111111-abc{}"


@pytest.fixture
def many(home: Home) -> Home:
    """Four runs on two datasets that differ in loss, distance and miner."""
    for number, (dataset, loss, distance, miner) in enumerate(
        [
            ("log", "triplet", "cosine", "semihard"),
            ("log", "triplet", "euclidean", "everything"),
            ("log", "bpr", "cosine", "everything"),
            ("Фильмы-и-книги-映画", "bpr", "cosine", "everything"),
        ]
    ):
        parts = {"distance": {"name": distance}, "miner": {"name": miner}}
        name, created = LONG.format(number, number), f"2026-01-0{number + 1}T00:00:00+00:00"
        finished(home, name, loss=loss, created=created, dataset=dataset, quality=0.1234, options=parts)
    return home


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_figure_and_no_name_is_cut_whatever_the_width(many: Home, width: int) -> None:
    shown = call(many, width=width).stdout
    assert "…" not in shown
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert shown.count("0.1234") == 8
    heading = shown.splitlines()[0]
    assert all(name in heading for name in ("run", "dataset", "ndcg@10", "recall@20"))
    for number in range(4):  # a name that is too long goes on in the next line
        pieces = LONG.format(number, number).split("-")
        assert all(piece in shown for piece in pieces)
    assert ("distance" in heading) == ("miner" in heading) == (width > 80)
    assert ("no room for:" in shown) == (width < 200)


def test_distance_and_miner_are_shown_where_runs_differ_in_them(many: Home) -> None:
    def heading(*words: str) -> list[str]:
        return call(many, *words, width=200).stdout.splitlines()[0].split()

    assert {"distance", "miner"} <= set(heading("--dataset", "log"))
    assert not {"distance", "miner", "dataset"} & set(heading("--dataset", "log", "--loss", "bpr"))
    assert "on log" in call(many, "--dataset", "log").stdout


def test_runs_are_filtered_and_the_last_ones_taken(many: Home) -> None:
    names = [LONG.format(number, number) for number in (3, 2, 1, 0)]
    assert listed(many) == names
    assert listed(many, "--last", "2") == names[:2]
    assert listed(many, "--dataset", "log") == names[1:]
    assert listed(many, "--loss", "triplet", "--last", "1") == names[2:3]
    assert listed(many, "--model", "two-tower", "--loss", "bpr") == names[:2]
    assert listed(many, "--model", "als") == []
    assert "No run is of model als; model: two_tower" in call(many, "--model", "als").stdout
    result = call(many, "--last", "0")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--last is 0; the number of runs to list is at least 1" in result.stderr


def test_a_run_whose_folder_is_gone_is_listed_from_what_was_noted(tracked_home: Home) -> None:
    finished(tracked_home, "kept", created="2026-01-02T00:00:00+00:00")
    gone = finished(tracked_home, "gone", created="2026-01-01T00:00:00+00:00")
    MlflowTracker(tracked_home).sync()
    shutil.rmtree(gone.path)
    kept, noted = json.loads(call(tracked_home, "--json").stdout)["runs"]
    assert (kept["run"], kept["here"], kept["logged"]) == ("kept", True, True)
    assert (noted["run"], noted["here"], noted["logged"]) == ("gone", False, True)
    assert noted["metrics"] == kept["metrics"]
    assert "no folder here" in call(tracked_home).stdout


def test_the_store_is_asked_for_what_others_logged_and_what_was_deleted(
    tracked_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = MlflowTracker(tracked_home)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    other = Home(tmp_path / "other")
    MlflowTracker(other).log(finished(other, "theirs", created="2026-01-01T00:00:00+00:00"))
    receipt = MlflowTracker(other).log(finished(other, "gone"))
    assert receipt is not None
    assert listed(tracked_home) == []
    assert listed(tracked_home, "--from", "mlflow") == ["gone", "theirs"]
    assert listed(tracked_home) == ["gone", "theirs"]  # noted
    tracker._client.delete_run(receipt["run_id"])
    assert listed(tracked_home, "--from", "mlflow") == listed(tracked_home) == ["theirs"]

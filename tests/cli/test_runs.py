import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.home import Home
from tests.tracking.finished import finished


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["runs", "--home", str(home.path), *words])


def test_without_runs_it_says_how_to_make_one_and_makes_nothing(home: Home) -> None:
    result = call(home)
    assert result.exit_code == 0
    assert "recsys train" in result.stdout
    assert not home.path.exists()


def test_runs_are_listed_newest_first_with_their_marks(tracked_home: Home) -> None:
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
    assert "finished, champion" in table
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
    result = call(tracked_home, "--json")
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

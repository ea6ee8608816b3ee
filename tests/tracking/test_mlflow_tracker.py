import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import RecsysError
from recsys.storage.home import Home
from recsys.tracking.mlflow_tracker import ALIAS, MlflowTracker, logged
from recsys.tracking.names import from_mlflow, to_mlflow
from recsys.tracking.summary import Summary, epochs
from tests.tracking.finished import finished


def strict(text: str) -> None:
    raise AssertionError(text)


def test_a_logged_run_reads_back_as_it_is_in_the_run_folder(tracked_home: Home) -> None:
    run = finished(tracked_home)
    tracker = MlflowTracker(tracked_home, strict)
    receipt = tracker.log(run)
    assert receipt is not None
    assert receipt["experiment"] == "recsys/log"
    assert json.loads((run.path / "mlflow.json").read_text()) == receipt
    assert tracker.runs() == [Summary.of(run)]
    run.verify(deep=True)  # mlflow.json is no part of the seal


def test_the_epochs_the_files_the_dataset_and_the_revision_are_logged(tracked_home: Home) -> None:
    run = finished(tracked_home)
    tracker = MlflowTracker(tracked_home, strict)
    receipt = tracker.log(run)
    assert receipt is not None
    client = tracker._client
    history = client.get_metric_history(receipt["run_id"], "epoch/ndcg_at_10")
    assert [(point.step, point.value) for point in history] == [(1, 0.1), (2, 0.2)]
    names = {each.path for each in client.list_artifacts(receipt["run_id"])}
    assert names == {"run.json", "config.yaml", "epochs.jsonl", "evaluation"}
    stored = client.get_run(receipt["run_id"])
    assert stored.inputs.dataset_inputs[0].dataset.name == "log"
    assert stored.data.tags["recsys.split_hash"] == "5" * 64
    assert stored.data.tags["mlflow.source.git.commit"] == "abc123"
    assert stored.info.status == "FINISHED"


def test_the_alias_is_on_the_best_run_on_valid_of_the_newest_split(tracked_home: Home) -> None:
    tracker = MlflowTracker(tracked_home, strict)

    def champion() -> str:
        found = tracker._client.get_model_version_by_alias("recsys-log", ALIAS)
        return str(found.tags["recsys.run"])

    tracker.log(finished(tracked_home, "a", created="2026-01-01T00:00:00+00:00", valid=0.3, quality=0.1))
    assert champion() == "a"
    tracker.log(finished(tracked_home, "b", created="2026-01-02T00:00:00+00:00", valid=0.2, quality=0.9))
    assert (champion(), tracked_home.champion()) == ("a", "a")  # the test set has no say
    tracker.log(finished(tracked_home, "c", created="2026-01-03T00:00:00+00:00", valid=0.4))
    assert (champion(), tracked_home.champion()) == ("c", "c")
    other = finished(tracked_home, "d", created="2026-01-04T00:00:00+00:00", valid=0.01, split="6" * 64)
    tracker.log(other)
    assert (champion(), tracked_home.champion()) == ("d", "d")
    assert tracked_home.folder("run", "champion") == other.path


def alias(tracker: MlflowTracker, dataset: str) -> str | None:
    """The run that the registry calls the champion of a dataset."""
    name = f"recsys-{dataset}"
    (model,) = tracker._client.search_registered_models(f"name = '{name}'")
    if ALIAS not in model.aliases:
        return None
    return str(tracker._client.get_model_version_by_alias(name, ALIAS).tags["recsys.run"])


def test_each_dataset_is_a_registered_model_of_its_own(tracked_home: Home) -> None:
    tracker = MlflowTracker(tracked_home, strict)
    tracker.log(finished(tracked_home, "a", dataset="one", valid=0.9))
    tracker.log(finished(tracked_home, "b", dataset="Фильмы-映画", valid=0.1))
    assert (alias(tracker, "one"), alias(tracker, "Фильмы-映画")) == ("a", "b")
    assert tracked_home.folder("run", "champion", "one").name == "a"
    assert tracked_home.folder("run", "champion").name == "b"
    newer = "2026-01-06T00:00:00+00:00"
    tracker.log(finished(tracked_home, "c", dataset="one", valid=None, split="6" * 64, created=newer))
    assert alias(tracker, "one") is None  # the champion of the older log does not stand for the newer one


def test_a_run_of_the_model_that_all_datasets_shared_becomes_a_version_of_its_own(
    tracked_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = MlflowTracker(tracked_home, strict)
    with monkeypatch.context() as patch:
        patch.setattr("recsys.tracking.mlflow_tracker.registered", lambda _: "recsys")
        tracker.log(finished(tracked_home, "old", valid=0.9))
    tracker.log(finished(tracked_home, "new", valid=0.1, created="2026-01-06T00:00:00+00:00"))
    assert alias(tracker, "log") == "old"


def test_a_server_that_is_down_loses_nothing_and_sync_logs_it_later(
    tracked_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    run = finished(tracked_home)
    warnings: list[str] = []
    tracker = MlflowTracker(tracked_home, warnings.append)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    started = time.monotonic()
    assert tracker.log(run) is None
    assert time.monotonic() - started < 3
    assert "recsys runs --sync" in warnings[0]
    assert address in warnings[0]
    assert len(warnings) == 1
    assert not (run.path / "mlflow.json").exists()
    with pytest.raises(RecsysError, match="cannot be used"):
        tracker.runs()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracker.sync() == ["run-1"]
    assert [each.run for each in tracker.runs()] == ["run-1"]
    assert tracker.sync() == []


def test_a_run_that_failed_halfway_is_logged_once_in_the_end(
    tracked_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished(tracked_home)
    warnings: list[str] = []
    tracker = MlflowTracker(tracked_home, warnings.append)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowTracker, "_write_model", full)
        assert tracker.log(run) is None
    assert "No space left on device" in warnings[0]
    assert tracker.runs() == []  # half a run is none
    assert tracker.sync() == ["run-1"]
    (run.path / "mlflow.json").unlink()  # as if killed between logging and writing the receipt
    assert tracker.sync() == ["run-1"]
    assert len(tracker.runs()) == 1
    assert len(tracker._client.search_model_versions("name = 'recsys-log'")) == 1


def test_runs_of_another_store_are_logged_to_this_one_too(tracked_home: Home) -> None:
    run = finished(tracked_home)
    (run.path / "mlflow.json").write_text('{"tracking_uri": "http://elsewhere"}')
    tracker = MlflowTracker(tracked_home, strict)
    assert tracker.sync() == ["run-1"]
    assert logged(run)["tracking_uri"] == tracker.uri


def test_per_user_values_come_back_from_the_store(tracked_home: Home, tmp_path: Path) -> None:
    run = finished(tracked_home)
    tracker = MlflowTracker(tracked_home, strict)
    tracker.log(run)
    folder = tracker.fetch("run-1", tmp_path / "fetched")
    assert (folder / "per_user.parquet").read_bytes() == (run.evaluation / "per_user.parquet").read_bytes()
    with pytest.raises(RecsysError, match="no run 'run-9'"):
        tracker.fetch("run-9", tmp_path / "none")


def test_runs_of_others_in_the_same_experiment_are_left_alone(tracked_home: Home) -> None:
    tracker = MlflowTracker(tracked_home, strict)
    receipt = tracker.log(finished(tracked_home))
    assert receipt is not None
    experiment = tracker._client.get_run(receipt["run_id"]).info.experiment_id
    foreign = tracker._client.create_run(experiment).info.run_id
    tracker._client.set_terminated(foreign)
    assert [each.run for each in tracker.runs()] == ["run-1"]


def test_a_home_without_a_store_has_no_runs_and_none_is_made(home: Home) -> None:
    assert MlflowTracker(home, strict).runs() == []
    assert not (home.path / "mlflow").exists()


def test_nothing_of_mlflow_reaches_the_terminal(
    tracked_home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    MlflowTracker(tracked_home, strict).log(finished(tracked_home))
    assert capfd.readouterr() == ("", "")


def test_a_run_without_epochs_or_a_valid_part_is_logged(tracked_home: Home) -> None:
    run = finished(tracked_home, valid=None)
    (run.path / "epochs.jsonl").unlink()
    tracker = MlflowTracker(tracked_home, strict)
    assert tracker.log(run) is not None
    assert tracked_home.champion() is None
    assert list(epochs(run)) == []


@given(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?(@[0-9]{1,4})?(/(low|high))?", fullmatch=True))
def test_names_of_figures_survive_the_way_to_mlflow_and_back(name: str) -> None:
    assert "@" not in to_mlflow(name)
    assert from_mlflow(to_mlflow(name)) == name

"""What MLflow holds of a run while it is trained, after it was stopped, and once it is finished."""

from typing import Any

import polars as pl
import pytest

import recsys
from recsys.errors import StoppedError
from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.progress import Silent
from recsys.pipeline.train import train
from recsys.storage.home import Home
from recsys.tracking.mlflow_tracker import MlflowTracker
from recsys.tracking.names import to_mlflow
from recsys.tracking.untracked import Untracked

SETTINGS = {
    "model": {"name": "two_tower", "dim": 4, "epochs": 4, "patience": 9, "loss": "infonce"},
    "baselines": [],
}


@pytest.fixture
def data(tracked_home: Home) -> Any:
    users, items = [f"u{n % 30}" for n in range(600)], [f"i{n * 7 % 40}" for n in range(600)]
    log = pl.DataFrame({"user": users, "item": items, "time": [10**9 + n for n in range(600)]})
    return recsys.read(log, home=tracked_home.path).split("time:0.2")


def losses(tracker: MlflowTracker) -> dict[str, list[int]]:
    """Status and run -> epochs with a loss."""
    client = tracker._client
    ids = [each.experiment_id for each in client.search_experiments(filter_string="name LIKE 'recsys/%'")]
    return {
        f"{run.info.status} {run.info.run_name}": sorted(
            each.step for each in client.get_metric_history(run.info.run_id, to_mlflow("epoch/loss"))
        )
        for run in client.search_runs(ids)
    }


class Looking(Silent):
    """Looks into the store after an epoch, or stops the run there."""

    def __init__(self, tracker: MlflowTracker, at: int, *, stop: bool = False) -> None:
        self.tracker, self.at, self.stop, self.seen = tracker, at, stop, {}

    def epoch(self, label: str, step: int, total: int | None, figures: Any) -> None:
        if label == "epoch" and step == self.at:
            if self.stop:
                raise KeyboardInterrupt
            self.seen = losses(self.tracker)


def test_epochs_can_be_read_during_the_fit_and_are_there_once(data: Any, tracked_home: Home) -> None:
    tracker = MlflowTracker(tracked_home)
    looking = Looking(tracker, 4)
    run = train(data, parse(TrainConfig, SETTINGS), tracked_home, tracker=tracker, watch=looking)
    ((name, steps),) = looking.seen.items()
    assert name == f"RUNNING {run.name}"
    assert set(steps) <= {1, 2, 3}
    assert losses(tracker) == {f"FINISHED {run.name}": [1, 2, 3, 4]}
    assert [each.run for each in tracker.runs()] == [run.name]


def test_a_stopped_run_is_killed_there_and_goes_on_as_the_same_one(data: Any, tracked_home: Home) -> None:
    tracker = MlflowTracker(tracked_home)
    config = parse(TrainConfig, SETTINGS)
    with pytest.raises(StoppedError, match="recsys train --resume"):
        train(data, config, tracked_home, tracker=tracker, watch=Looking(tracker, 3, stop=True))
    ((stopped, steps),) = losses(tracker).items()
    status, name = stopped.split()
    assert (status, steps) == ("KILLED", [1, 2])
    assert tracker.runs() == []
    train(data, config, tracked_home, tracker=tracker, watch=Silent(), resume=name)
    assert losses(tracker) == {f"FINISHED {name}": [1, 2, 3, 4]}


def test_a_store_that_cannot_be_reached_loses_nothing(
    data: Any, tracked_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    warned: list[str] = []
    tracker = MlflowTracker(tracked_home, warned.append)
    run = train(data, parse(TrainConfig, SETTINGS), tracked_home, tracker=tracker, watch=Silent())
    assert run.manifest()["status"] == "finished"
    assert len(warned) == 1
    assert "recsys runs --sync" in warned[0]
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    here = MlflowTracker(tracked_home)
    assert here.sync() == [run.name]
    assert losses(here) == {f"FINISHED {run.name}": [1, 2, 3, 4]}


def test_untracked_runs_leave_the_store_alone(data: Any, tracked_home: Home) -> None:
    config = parse(TrainConfig, SETTINGS)
    run = train(data, config, tracked_home, tracker=Untracked(tracked_home), watch=Silent())
    assert losses(MlflowTracker(tracked_home)) == {}
    assert tracked_home.folder("run", "champion", None).name == run.name


def test_python_takes_a_tracker_of_its_own(data: Any) -> None:
    noted: list[tuple[str, Any]] = []

    class Own:
        def begin(self, run: str, dataset: str, settings: Any) -> Any:
            noted.append(("begin", dataset))
            return self

        def epoch(self, step: int, figures: Any) -> None:
            noted.append(("epoch", step))

        def end(self, status: str | None = None) -> None:
            noted.append(("end", status))

        def log(self, run: Any) -> None:
            noted.append(("log", run.name))

    options = {"model.dim": 4, "model.epochs": 2, "model.patience": 9, "baselines": []}
    run = recsys.train(data, loss="infonce", options=options, track=Own())
    assert noted == [("begin", "frame"), ("epoch", 1), ("epoch", 2), ("end", None), ("log", run.name)]
    with pytest.raises(recsys.errors.InputError, match="it can be mlflow, none"):
        recsys.train(data, options=options, track="wandb")

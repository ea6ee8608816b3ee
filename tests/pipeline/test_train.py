"""One run of the planted log: its figures, what it is beside, what it leaves when it fails."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from recsys.data.dataset import Dataset
from recsys.data.etl.run import etl
from recsys.errors import RecsysError, StoppedError
from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.progress import Silent, Watcher
from recsys.pipeline.train import run_key, train
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.untracked import Untracked
from tests.pipeline import planted

NEAR = {"name": "item_knn", "shrinkage": 0.0}
SMALL: dict[str, Any] = {"model": NEAR, "baselines": [], "metrics": ["recall@3"], "index": {"kind": "exact"}}


@pytest.fixture
def data(home: Home) -> Dataset:
    return planted.dataset(home)


def settings(**changes: Any) -> TrainConfig:
    return parse(TrainConfig, SMALL | changes)


def run(home: Home, data: Dataset, watch: Watcher | None = None, **changes: Any) -> RunFolder:
    return train(data, settings(**changes), home, tracker=Untracked(home), watch=watch or Silent())


def test_the_log_is_split_as_it_was_planted(data: Dataset) -> None:
    for name, part in zip(
        planted.PARTS, (data.split().train, data.split().valid, data.split().test), strict=True
    ):
        assert set(part.select("user", "item").iter_rows()) == set(planted.rows()[name])
        assert part.height == planted.PARTS[name]


@pytest.mark.parametrize(
    ("refit", "recall", "unknown", "shelf"),
    [("none", 1 / 3, 16, 4), ("valid", 2 / 3, 8, 6), ("all", 2 / 3, 8, 7)],
)
def test_a_run_is_scored_by_its_refit_and_serves_what_that_knows(
    home: Home, data: Dataset, refit: str, recall: float, unknown: int, shelf: int
) -> None:
    made = run(home, data, refit=refit)
    manifest = made.manifest()
    assert manifest["metrics"]["recall@3"] == pytest.approx(recall)
    assert manifest["intervals"]["recall@3"] == pytest.approx([recall, recall])  # all users fare alike
    counts = manifest["counts"]
    assert (counts["users"], counts["test_rows"], counts["unknown_rows"]) == (8, 24, unknown)
    assert manifest["valid"] == {"ndcg@10": 0.0}  # its items are new
    service = Service.open(made.path)
    found, _ = service.recommend_history(["even-old0"], shelf)
    assert len(found.items) == shelf
    assert all(place.item.startswith("even") for place in found.items)
    assert len(service.model.item_ids) == 2 * (shelf + 1)
    (asked,) = service.recommend(["u0"], 20)
    assert not any(place.item.startswith("even") for place in asked.items)  # all of it is known of the user
    assert home.current("run") == made.name
    assert not made.checkpoints.exists()
    made.verify(deep=True)


def test_a_run_is_compared_with_its_baselines_user_by_user(home: Home, data: Dataset) -> None:
    manifest = run(home, data, baselines=["popularity", "item_knn"], index={"kind": "auto"}).manifest()
    assert manifest["best_baseline"] == "item_knn"
    assert manifest["main_metric"] == "recall@3"
    same = manifest["baselines"]["item_knn"]
    assert same["metrics"] == manifest["metrics"]
    assert same["difference"]["recall@3"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    behind = manifest["baselines"]["popularity"]
    table = {
        name: pl.read_parquet(home.runs / manifest["run"] / "evaluation" / f"{name}.parquet").sort("user")
        for name in ("per_user", "popularity")
    }
    gap = (table["per_user"]["recall@3"] - table["popularity"]["recall@3"]).mean()
    assert behind["difference"]["recall@3"]["mean"] == pytest.approx(gap)
    assert behind["metrics"]["recall@3"] == pytest.approx(2 / 3 - gap)


class Stopping(Silent):
    """Ends the work by an error when a stage begins."""

    def __init__(self, stage: str, error: BaseException) -> None:
        self.at, self.error = stage, error

    def stage(self, text: str) -> None:
        if text.startswith(self.at):
            raise self.error


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (RecsysError("the disk is full"), RecsysError, "the disk is full"),
        (KeyboardInterrupt(), StoppedError, "continue with: recsys train --resume item-knn-"),
    ],
)
@pytest.mark.parametrize("stage", ["fitting", "ranking", "choosing an index"])
def test_a_run_that_ends_early_is_no_run(
    home: Home, data: Dataset, stage: str, error: BaseException, raised: type[Exception], message: str
) -> None:
    with pytest.raises(raised, match=message):
        run(home, data, Stopping(stage, error))
    assert home.names("run") == []
    assert home.current("run") is None
    (left,) = home.runs.iterdir()
    assert (left / "config.yaml").exists()


def test_a_stopped_run_goes_on_in_its_own_folder(home: Home, data: Dataset) -> None:
    with pytest.raises(StoppedError):
        run(home, data, Stopping("ranking", KeyboardInterrupt()))
    (left,) = home.runs.iterdir()
    made = train(data, settings(), home, tracker=Untracked(home), watch=Silent(), resume=left.name)
    assert [path.name for path in home.runs.iterdir() if path.is_dir()] == [made.name] == [left.name]
    assert made.manifest()["metrics"]["recall@3"] == pytest.approx(2 / 3)


def test_what_makes_two_runs_the_same(home: Home, data: Dataset) -> None:
    one = run_key(data, settings())
    assert one == run_key(data, settings(model={"shrinkage": 0.0, "neighbours": 400, "name": "item_knn"}))
    others = [
        run_key(data, settings(**changes))
        for changes in (
            {"model": "item_knn"}, {"seed": 1}, {"refit": "all"}, {"metrics": ["ndcg@3"]},
            {"baselines": ["als"]}, {"index": {"kind": "auto"}}, {"warm_up": 1},
        )
    ]  # fmt: skip
    assert len({one, *others}) == 8


def test_without_a_validation_set_a_run_says_so_and_refits_nothing(home: Home) -> None:
    log = planted.write(home.raw / "planted.csv")
    whole = etl(planted.options(log).model_copy(update={"valid": 0.0}), home)
    watch = Warnings()
    manifest = run(home, whole, watch).manifest()
    assert watch.said == [
        "there is no validation set: nothing is stopped early or tuned; make one with recsys etl --valid 0.1"
    ]
    assert manifest["valid"] == {}
    assert manifest["metrics"]["recall@3"] == pytest.approx(2 / 3)  # what would be validation is in train


class Warnings(Silent):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, text: str) -> None:
        self.said.append(text)

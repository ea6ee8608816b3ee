"""What the dataset knows of a user is not recommended; popularity counts what was learned from."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from recsys.columns import ITEM, USER
from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.tables import Split
from recsys.errors import InputError
from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.progress import Silent
from recsys.pipeline.train import run_key, train
from recsys.retrieval.export import export
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.untracked import Untracked
from tests.factories import random_log

K = 20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A split log, of which a tenth was below ``--positive-from``: known and not liked."""
    folder = tmp_path_factory.mktemp("known")
    stars = pl.when(pl.int_range(pl.len()) % 10 == 3).then(2).otherwise(5).alias("rating")
    random_log().select(USER, ITEM, stars).write_csv(folder / "log.csv")
    options = EtlOptions(logs=[str(folder / "log.csv")], positive_from=4, split="random:0.2", valid=0.1)
    return etl(options, Home(folder / "home"))


def fitted(data: Dataset, refit: str) -> RunFolder:
    config = parse(TrainConfig, {"model": "als", "baselines": [], "refit": refit})
    home = Home(data.folder.parents[1])
    return train(data, config, home, tracker=Untracked(home), watch=Silent())


@pytest.fixture(scope="module")
def run(data: Dataset) -> RunFolder:
    return fitted(data, "valid")


def items_of(table: pl.DataFrame) -> dict[str, set[str]]:
    return {user: set(items) for user, items in table.group_by(USER).agg(ITEM).iter_rows()}


def everything(split: Split) -> dict[str, set[str]]:
    return items_of(pl.concat([split.train, split.valid, split.test, split.known]))


@pytest.mark.parametrize("refit", ["none", "valid", "all"])
def test_lists_hold_all_but_what_is_known_of_the_user(data: Dataset, refit: str) -> None:
    service, split = Service.open(fitted(data, refit).path), data.split()
    assert split.known.height > 20
    known, catalogue = everything(split), set(service.model.item_ids.take(range(len(service.model.item_ids))))
    users = split.train[USER].unique().to_list()
    for found in service.recommend(users, 1000):
        assert {each.item for each in found.items} == catalogue - known[str(found.user)]
    for found in service.recommend(users, 1000, with_seen=True):
        assert {each.item for each in found.items} == catalogue


def test_a_run_without_a_new_dislike_is_another_run(data: Dataset, tmp_path: Path) -> None:
    """Its lists would hold what the user has disliked since."""
    shutil.copytree(data.folder, tmp_path / "log")
    again = Dataset.at(tmp_path / "log")
    assert run_key(again, TrainConfig()) == run_key(data, TrainConfig())
    data.known()[1:].write_parquet(again.folder / "known.parquet")
    assert run_key(again, TrainConfig()) != run_key(data, TrainConfig())


@pytest.mark.parametrize("refit", ["valid", "all"])
def test_popularity_counts_what_was_learned_from(data: Dataset, refit: str) -> None:
    split = data.split()
    learned = [split.train, split.valid] + ([split.test] if refit == "all" else [])
    wanted = Counter(pl.concat(learned)[ITEM].to_list())
    popular = Service.open(fitted(data, refit).path).popular(1000)
    assert {each.item: each.score for each in popular} == dict(wanted)


def test_an_export_for_serving_holds_the_same_lists(data: Dataset, run: RunFolder, tmp_path: Path) -> None:
    manifest = export(run.path, tmp_path / "lists.csv", k=1000)
    lists = items_of(pl.read_csv(tmp_path / "lists.csv", schema_overrides={USER: pl.String, ITEM: pl.String}))
    split = data.split()
    catalogue, known = set(split.train[ITEM]) | set(split.valid[ITEM]), everything(split)
    assert lists == {user: catalogue - known[user] for user in lists}
    assert manifest["rows"] == sum(len(items) for items in lists.values())
    assert manifest["for"] == "serving"


def test_an_export_for_evaluation_scores_what_the_run_says(
    data: Dataset, run: RunFolder, tmp_path: Path
) -> None:
    """Recall and NDCG by their definitions, in loops over the exported rows."""
    assert export(run.path, tmp_path / "lists.parquet", k=K, purpose="evaluation")["for"] == "evaluation"
    lists: dict[str, list[str]] = {}
    for user, item, _ in (
        pl.read_parquet(tmp_path / "lists.parquet").select(USER, ITEM, "rank").sort("rank").iter_rows()
    ):
        lists.setdefault(user, []).append(item)
    test = {user: items for user, items in items_of(data.split().test).items() if user in lists}
    recall = ndcg = 0.0
    for user, wanted in test.items():
        hits = [rank for rank, item in enumerate(lists[user], start=1) if item in wanted]
        recall += len(hits) / len(wanted)
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(K, len(wanted)) + 1))
        ndcg += sum(1 / math.log2(rank + 1) for rank in hits) / ideal
    metrics = run.manifest()["metrics"]
    assert recall / len(test) == pytest.approx(metrics["recall@20"], abs=1e-6)
    assert ndcg / len(test) == pytest.approx(metrics["ndcg@20"], abs=1e-6)
    assert recall > 0


def test_lists_of_a_model_that_was_not_scored_are_refused(data: Dataset, tmp_path: Path) -> None:
    run = fitted(data, "all")
    with pytest.raises(
        InputError, match=r"fitted to its test (part|set) too .--refit all.*train --refit valid"
    ):
        export(run.path, tmp_path / "lists.parquet", purpose="evaluation")
    assert not list(tmp_path.iterdir())


def test_lists_of_users_who_are_not_of_the_run_are_refused(
    data: Dataset, run: RunFolder, tmp_path: Path
) -> None:
    log, home = data.folder.parents[2] / "log.csv", Home(data.folder.parents[1])
    held_out = etl(EtlOptions(logs=[str(log)], name="users", split="users:0.2"), home)
    found = fitted(held_out, "valid")
    home.set_current("run", run.name)
    with pytest.raises(
        InputError, match="was scored on users it was not fitted to, by a part of their history"
    ):
        export(found.path, tmp_path / "lists.parquet", purpose="evaluation")

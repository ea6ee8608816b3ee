from pathlib import Path

import polars as pl
import pytest

import recsys
from recsys.data.synthetic import planted
from recsys.errors import InputError

SMALL = {"model.dim": 8, "model.epochs": 2, "baselines": ["popularity"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> recsys.Run:
    log, _ = planted(80, 60, 3000, genres=4)
    data = recsys.read(log, home=tmp_path_factory.mktemp("home")).split("time:0.2")
    return recsys.train(data, loss="triplet", distance="cosine", options=SMALL)


def test_lists_are_frames(run: recsys.Run) -> None:
    user = (
        run.folder.manifest()["run"]
        and pl.read_parquet(run.folder.evaluation / "per_user.parquet")["user"][0]
    )
    found = run.recommend(user, k=5)
    assert found.columns == ["user", "rank", "item", "title", "score"]
    assert found["rank"].to_list() == [1, 2, 3, 4, 5]
    assert len(found.to_pandas()) == 5
    items = found["item"].to_list()
    assert run.recommend(history=items[:2], k=3).height == 3
    assert run.similar(item=items[0], k=4).height == 4


def test_verdicts_are_frames(run: recsys.Run) -> None:
    table = run.evaluate()
    assert set(table["model"]) == {"two_tower", "popularity"}
    assert run.metrics["ndcg@20"] == table.filter(model="two_tower", metric="ndcg@20")["value"].item()


def test_a_wrong_request_says_what_is_allowed(run: recsys.Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either a user id"):
        run.recommend()
    with pytest.raises(InputError, match="unknown user id 'nobody'"):
        run.recommend("nobody")
    with pytest.raises(InputError, match="positve_from"):
        recsys.read("x.csv", home=tmp_path, options={"positve_from": 4}).split()


def test_pandas_and_polars_give_the_same_dataset(tmp_path: Path) -> None:
    log, _ = planted(40, 30, 800, genres=3)
    ours = recsys.read(log, home=tmp_path / "a").split("time:0.2")
    theirs = recsys.read(log.to_pandas(), home=tmp_path / "b").split("time:0.2")
    assert ours.split_hash == theirs.split_hash

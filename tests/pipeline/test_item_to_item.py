"""Models from item to item, trained, saved and served like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.models.ease import EASE
from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.progress import Silent
from recsys.pipeline.train import train
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from recsys.tracking.untracked import Untracked
from tests.factories import random_log


@pytest.mark.parametrize("name", ["ease", "item_knn"])
def test_it_recommends_to_users_and_to_histories(name: str, home: Home, tmp_path: Path) -> None:
    import polars as pl

    random_log().select("user", "item").write_csv(tmp_path / "log.csv")
    data = etl(EtlOptions(logs=[str(tmp_path / "log.csv")], split="random:0.2", valid=0.2), home)
    config = parse(TrainConfig, {"model": name, "baselines": ["ease", "item_knn", "popularity"]})
    run = train(data, config, home, tracker=Untracked(home), watch=Silent())
    manifest = run.manifest()
    assert manifest["index"]["kind"] == "exact"
    assert set(manifest["baselines"]) == {"ease", "item_knn", "popularity"}
    assert len(manifest["baselines"]["ease"]["tried"]) == 5
    assert len(manifest["baselines"]["item_knn"]["tried"]) == 22

    service = Service.open(run.path)
    split = data.split()
    known = pl.concat([split.train, split.valid])
    user = known["user"][0]
    history = known.filter(pl.col("user") == user)["item"].to_list()
    listed = service.recommend([user], 5)[0].items
    folded, _ = service.recommend_history(history, 5)
    assert [each.item for each in listed] == [each.item for each in folded.items]
    assert len(service.similar(item=history[0], k=3)) == 3
    if name == "ease":
        log = Interactions.of(known)
        scores = EASE().fit(log).scorer.scores(np.array([log.users.ids.to_list().index(user)]))[0]
        best = scores[[log.items.ids.to_list().index(each.item) for each in listed]]
        np.testing.assert_allclose([each.score for each in listed], best, rtol=1e-4)


def test_annoy_is_refused_for_it(home: Home, tmp_path: Path) -> None:
    random_log().select("user", "item").write_csv(tmp_path / "log.csv")
    data = etl(EtlOptions(logs=[str(tmp_path / "log.csv")], split="random:0.2"), home)
    config = parse(TrainConfig, {"model": "ease", "baselines": [], "index": {"kind": "annoy"}})
    with pytest.raises(InputError, match="ease is a sum over the history, which only the exact index ranks"):
        train(data, config, home, tracker=Untracked(home), watch=Silent())

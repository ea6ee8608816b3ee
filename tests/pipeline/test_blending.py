"""Blends of runs by name, through the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.errors import InputError
from recsys.pipeline.blending import recipes
from recsys.pipeline.config import TrainConfig, document, parse
from recsys.pipeline.progress import Silent
from recsys.pipeline.train import train
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.untracked import Untracked
from tests.factories import random_log


def dataset(home: Home, folder: Path, name: str, seed: int) -> Dataset:
    log = folder / f"{name}.csv"
    random_log(seed=seed).select("user", "item").write_csv(log)
    return etl(EtlOptions(logs=[str(log)], name=name, split="random:0.2", valid=0.2), home)


def run(home: Home, data: Dataset, model: object) -> RunFolder:
    config = parse(TrainConfig, {"model": model, "baselines": [], "index": {"kind": "exact"}, "seed": 3})
    return train(data, config, home, tracker=Untracked(home), watch=Silent())


def test_a_blend_of_runs_is_fitted_chosen_refitted_and_served(home: Home, tmp_path: Path) -> None:
    data = dataset(home, tmp_path, "log", 0)
    parts = [run(home, data, {"name": "als", "dim": 4}), run(home, data, {"name": "spectral", "dim": 5})]
    of = recipes([part.name for part in parts], data, home)
    assert [(each["name"], each["dim"]) for each in of] == [("als", 4), ("spectral", 5)]
    assert all("seed" not in each for each in of)
    blended = run(home, data, {"name": "blend", "of": of}).manifest()
    weights = blended["model"]["chosen"]["weights"]
    assert sum(weights) == pytest.approx(1, abs=1e-5)
    alone = [part.manifest()["valid"]["ndcg@10"] for part in parts]
    assert blended["valid"]["ndcg@10"] >= max(alone) - 1e-6
    from recsys.retrieval.recommender import Service

    service = Service.open(home.folder("run", None))
    assert service.model.distance == "dot"
    assert len(service.recommend([service.model.user_ids[0]], 5)[0].items) == 5
    found, unknown = service.recommend_history([service.model.item_ids[0], "no such item"], 5)
    assert (len(found.items), unknown) == (5, ["no such item"])


def test_runs_of_another_split_are_refused_by_name(home: Home, tmp_path: Path) -> None:
    one, other = dataset(home, tmp_path, "one", 0), dataset(home, tmp_path, "other", 1)
    made = run(home, one, "popularity")
    with pytest.raises(InputError, match=f"run {made.name} was made on dataset one .* not dataset other"):
        recipes([made.name], other, home)


def test_faults_of_the_parts_of_a_blend_are_named() -> None:
    of = [{"name": "als", "dimm": 3}, "alz", {"name": "two_tower", "loss": {"name": "triplet", "margn": 1}}]
    with pytest.raises(InputError) as raised:
        parse(TrainConfig, {"model": {"name": "blend", "of": of}})
    text = str(raised.value)
    assert "model.of: als has no option 'dimm'" in text
    assert "model.of: unknown model 'alz'" in text
    assert "model.of.loss: triplet has no option 'margn'" in text


def test_every_default_of_the_parts_of_a_blend_is_written_out() -> None:
    config = parse(TrainConfig, {"model": {"name": "blend", "of": ["als", {"name": "two_tower", "dim": 3}]}})
    first, second = document(config)["model"]["of"]
    assert (first["name"], first["iterations"]) == ("als", 12)
    assert (second["dim"], second["tower"]["name"]) == (3, "history")

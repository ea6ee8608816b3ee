"""What is known about items reaches a model, and a tower, from outside."""

from pathlib import Path

import polars as pl
import pytest

import recsys
from recsys import plugins
from recsys.data.dataset import Dataset
from recsys.ids import IdMap
from recsys.storage.home import Home

PARTS = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from recsys.embeddings import Embeddings, FoldIn
from recsys.models.model import Fitted


@dataclass(frozen=True)
class SameKind:
    """A user is the mean of the kinds of the items they chose, an item its kind."""

    family: ClassVar[str] = "models"

    def fit(self, train, features=None, *, validate=None, report=None, checkpoints=None):
        kinds = features.of_items(train.items)["kind"].to_dummies().to_numpy().astype(np.float32)
        users = np.asarray(train.csr() @ kinds, dtype=np.float32)
        return Fitted(Embeddings(users, kinds, train.users, train.items, "dot", kinds, FoldIn("sum")))


@dataclass(frozen=True)
class Kinds:
    """An item is the vector of its kind: items of one kind cannot be told apart."""

    family: ClassVar[str] = "item_towers"

    def tables(self, items: int):
        return {"kinds": 2}

    def over(self, train, features, device):
        kinds = features.of_items(train.items)["kind"].rank("dense").to_numpy().astype(np.int64) - 1
        codes = torch.from_numpy(kinds).to(device)
        return lambda items, rows: rows("kinds", codes.index_select(0, items))
'''


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Even users choose even items, odd users odd ones; the kind of an item says which it is."""
    rows = [(f"u{user}", f"i{(user + 2 * step) % 40}") for user in range(40) for step in range(8)]
    log = pl.DataFrame(rows, schema=["user", "item"], orient="row")
    items = [f"i{n}" for n in range(40)]
    table = pl.DataFrame({"item": items, "kind": [("even", "odd")[n % 2] for n in range(40)]})
    table.write_csv(tmp_path / "items.csv")
    options = {"items": str(tmp_path / "items.csv")}
    return recsys.read(log, home=tmp_path / "home", options=options).split("random:0.25", valid=0)


def test_a_model_and_a_tower_read_the_features(data: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "parts.py"
    path.write_text(PARTS)
    kind = {f"i{n}": n % 2 for n in range(40)}
    with plugins.using([path]):
        by_kind = recsys.train(data, model="same_kind", options={"baselines": []}, track="none")
        options = {
            "model.item_tower": "kinds", "model.start": "normal", "model.hops": 0, "model.dim": 4,
            "model.epochs": 40, "model.rate": 0.1, "baselines": [], "seed": 2,
        }  # fmt: skip
        towers = recsys.train(data, loss="infonce", options=options, track="none")
    for run in (by_kind, towers):
        listed = run.recommend("u0", k=10)
        assert {kind[item] for item in listed["item"]} == {0}, run.name
    scores = towers.recommend("u1", k=40, with_seen=True)
    assert scores["score"].n_unique() <= 3  # one vector per kind, up to rounding


def test_a_dataset_without_tables_has_no_columns(home: Home) -> None:
    log = pl.DataFrame({"user": ["a", "b"] * 6, "item": [f"i{n}" for n in range(12)]})
    made = recsys.read(log, home=home.path).split("random:0.25", valid=0)
    found = made.features().of_items(IdMap.of(pl.Series(["i1", "i2"])))
    assert found.columns == []

"""Logs and sizes at the edge: every part goes through them and ends with finite vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys import plugins
from recsys.embeddings import Embeddings
from recsys.models.two_tower import TwoTower
from tests import factories

# Ada has one item only; everybody has "a", so that it is nobody's negative.
PAIRS = [
    ("ada", "all"),
    *((user, item) for user in ("ben", "cleo", "dora") for item in ("all", user[0], "x")),
]
TRAIN = factories.interactions(factories.raw([*PAIRS, ("eva", "all"), ("eva", "y"), ("eva", "z")]))


def fitted(**options: Any) -> Embeddings:
    sizes = {"dim": 4, "epochs": 2, "batch": 1000, "candidates": 1, "rate": 0.05, "precision": "fp32"}
    scorer = TwoTower(**{**sizes, **options}).fit(TRAIN).scorer
    assert isinstance(scorer, Embeddings)
    assert np.isfinite(scorer.scores(np.arange(len(TRAIN.users)))).all()
    return scorer


@pytest.mark.parametrize("name", plugins.names("losses"))
@pytest.mark.parametrize("sizes", [{}, {"batch": 1, "candidates": 50}], ids=["1 candidate", "1 row"])
def test_losses(name: str, sizes: dict[str, int]) -> None:
    """A batch larger than the log with one candidate, and a row at a time with more candidates than items."""
    fitted(loss=name, **sizes)


@pytest.mark.parametrize("name", plugins.names("samplers"))
def test_samplers(name: str) -> None:
    fitted(sampler=name)


@pytest.mark.parametrize("name", plugins.names("towers"))
def test_towers(name: str) -> None:
    fitted(tower=name)


@pytest.mark.parametrize("name", plugins.names("towers"))
@pytest.mark.parametrize("weight", ["l2", "uniformity", "center"])
def test_regularizers_of_every_tower(name: str, weight: str) -> None:
    fitted(tower=name, **{weight: 0.1})


@pytest.mark.parametrize("name", ["hardest", "hardest_k", "relative"])
def test_miners(name: str) -> None:
    fitted(miner=name, loss="triplet")


@pytest.mark.parametrize("name", plugins.names("distances"))
def test_distances(name: str) -> None:
    fitted(distance=name, loss="triplet", candidates=50)


@pytest.mark.parametrize("kind", ["spectral", "pca"])
def test_starts_of_more_dimensions_than_the_log_has(kind: str) -> None:
    fitted(start=kind, dim=32)

"""A learned linear map, served as Euclidean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.columns import ITEM
from recsys.embeddings import Embeddings
from recsys.learning.distances.mahalanobis import Mahalanobis
from recsys.learning.training.loop import embed, run_epoch
from recsys.learning.training.projection import MAP
from recsys.models.two_tower import TwoTower
from recsys.retrieval.index.exact import Exact
from tests import factories

TRAIN = factories.interactions()
MODEL = TwoTower(
    hops=0,
    start="normal",
    tower="lookup",
    loss="triplet",
    distance="mahalanobis",
    dim=4,
    epochs=3,
    batch=64,
    candidates=8,
)


def weinberger(a: np.ndarray, b: np.ndarray, learned: np.ndarray) -> float:
    """Weinberger and Saul 2009, equations 1 and 2: the root of (a - b)' L' L (a - b)."""
    size = range(len(a))
    metric = [[sum(learned[k][i] * learned[k][j] for k in size) for j in size] for i in size]
    gap = a - b
    return float(sum(gap[i] * metric[i][j] * gap[j] for i in size for j in size)) ** 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**20))
def test_the_moved_points_have_the_distance_of_the_definition(dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    users, items, learned = (rng.normal(size=(rows, dim)) for rows in (3, 5, dim))
    distance = Mahalanobis()
    scores = distance.matrix(distance.move(users, learned), distance.move(items, learned))
    expected = [[-weinberger(user, item, learned) for item in items] for user in users]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("tower", ["lookup", "history"])
def test_every_index_of_the_served_distance_gives_the_order_of_the_model(tower: str) -> None:
    """Trained tables and map, scored by the definition; the lists are those of a Euclidean index."""
    work = replace(MODEL, tower=tower).prepare(TRAIN)
    run_epoch(work, 1)
    vectors, tables = embed(work), work.tables
    learned = tables[MAP].numpy()
    assert np.abs(learned - np.eye(4)).max() > 0.01
    everyone = work.log.take(torch.arange(len(TRAIN.users)))
    users = work.parts.tower.forward(everyone, tables.read).numpy()
    codes, _ = Exact("euclidean").build(vectors["items"]).query(vectors["users"], k=len(TRAIN.items))
    for user, ranked in zip(users, codes, strict=True):
        found = [weinberger(user, tables["items"][int(item)].numpy(), learned) for item in ranked]
        assert (np.diff(found) >= -1e-5).all()


def test_a_fit_is_euclidean_vectors_that_are_saved_as_such(tmp_path: Path) -> None:
    fitted = MODEL.fit(TRAIN).scorer
    assert isinstance(fitted, Embeddings)
    assert fitted.distance == "euclidean"
    fitted.save(tmp_path)
    again = Embeddings.load(tmp_path)
    np.testing.assert_array_equal(again.scores(np.array([0])), fitted.scores(np.array([0])))


def test_a_user_never_seen_is_folded_in_where_training_would_have_put_it() -> None:
    """The sum of the moved input vectors is the moved sum."""
    work = replace(MODEL, tower="history").prepare(TRAIN)
    run_epoch(work, 1)
    vectors = embed(work)
    history = TRAIN.frame.filter(TRAIN.frame["user"] == 5)[ITEM].to_numpy()
    made = vectors["inputs"][history].sum(0) / len(history) ** 0.5
    np.testing.assert_allclose(made, vectors["users"][5], atol=1e-5)

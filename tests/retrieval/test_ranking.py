"""Ranking many users: the same lists through an index, through scores, and in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.exact_torch import ExactOnDevice
from recsys.retrieval.ranking import exact, rank
from recsys.storage.arrays import FloatArray, IntArray
from tests.factories import interactions


@dataclass(frozen=True)
class Matrix:
    """A scorer that is no embedding."""

    values: FloatArray

    def scores(self, users: IntArray) -> FloatArray:
        return self.values[users]


def embeddings(users: int = 60, items: int = 40, dim: int = 4, distance: str = "dot") -> Embeddings:
    rng = np.random.default_rng(0)
    return Embeddings(
        rng.standard_normal((users, dim)).astype(np.float32),
        rng.standard_normal((items, dim)).astype(np.float32),
        IdMap(pl.Series([f"u{n}" for n in range(users)])),
        IdMap(pl.Series([f"i{n}" for n in range(items)])),
        distance,
    )


@pytest.mark.parametrize("distance", ["dot", "cosine", "euclidean"])
def test_embeddings_and_their_scores_rank_alike(distance: str) -> None:
    log = interactions()
    model = embeddings(len(log.users), len(log.items), distance=distance)
    users = np.arange(len(log.users))[::-1].copy()
    whole, values = rank(model, users, 7, log.histories())
    blocked, _ = rank(model, users, 7, log.histories(), at_once=7)
    matrix = Matrix(model.scores(np.arange(len(log.users))))
    scored, again = rank(matrix, users, 7, log.histories(), at_once=11)
    assert (whole == blocked).all()
    assert (whole == scored).all()
    np.testing.assert_allclose(values, again, rtol=1e-5)


def test_seen_items_are_never_listed_and_all_others_are() -> None:
    log = interactions()
    model = embeddings(len(log.users), len(log.items))
    seen = log.histories()
    codes, _ = rank(model, np.arange(len(log.users)), len(log.items) + 3, seen)
    for user, row in enumerate(codes):
        assert set(row[row >= 0]) | set(seen.row(user)) == set(range(len(log.items)))
        assert not set(row) & set(seen.row(user))


def test_the_scores_of_the_scorer_are_left_as_they_were() -> None:
    log = interactions()
    scorer = Matrix(embeddings(len(log.users), len(log.items)).scores(np.arange(len(log.users))))
    before = scorer.values.copy()
    rank(scorer, np.arange(len(log.users)), 3, log.histories())
    assert (scorer.values == before).all()


def test_a_list_has_at_least_one_item() -> None:
    with pytest.raises(InputError, match="k is 0"):
        rank(embeddings(), np.array([0]), 0)


def test_the_index_is_on_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    log = interactions()
    vectors = np.ones((len(log.users), 2), dtype=np.float32), np.ones((len(log.items), 2), dtype=np.float32)
    model = Embeddings(*vectors, log.users, log.items, "dot")
    assert isinstance(exact(model), Exact)
    built: list[tuple[str, str]] = []
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(ExactOnDevice, "build", lambda index, _: built.append((index.distance, index.device)))
    exact(model)
    assert built == [("dot", "cuda")]


def test_histories_hold_the_log() -> None:
    log = interactions()
    seen = log.histories()
    assert len(seen) == len(log.users)
    for user, items in log.frame.group_by("user").agg("item").iter_rows():
        assert seen.row(user).tolist() == sorted(items)

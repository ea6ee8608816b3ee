"""Sums of weights over histories."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from recsys import item_weights
from recsys.ids import IdMap
from recsys.item_weights import ItemWeights, Ragged


def ragged(matrix: np.ndarray) -> Ragged:
    rows = sparse.csr_array(matrix.astype(np.float32))
    return Ragged(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data)


@pytest.mark.parametrize("at_once", [2, 256])
def test_ragged_and_dense_weights_give_the_product(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(item_weights, "USERS_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    chosen = rng.random((9, 6)) < 0.4
    chosen[3] = False
    weights = (rng.normal(size=(6, 6)) * (rng.random((6, 6)) < 0.5)).astype(np.float32)
    ids = IdMap(pl.Series([f"i{item}" for item in range(6)]))
    people = IdMap(pl.Series([f"u{user}" for user in range(9)]))
    history = Ragged(ragged(chosen).indptr, ragged(chosen).indices)
    asked = np.array([8, 3, 3, 0, 5])
    for each in (weights, ragged(weights)):
        scores = ItemWeights(each, history, people, ids).scores(asked)
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, chosen[asked].astype(float) @ weights, atol=1e-6)


def test_nobody_has_no_scores() -> None:
    history = Ragged(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32))
    scores = item_weights.score(np.eye(3, dtype=np.float32), history, np.zeros(0, dtype=np.int64))
    assert scores.shape == (0, 3)

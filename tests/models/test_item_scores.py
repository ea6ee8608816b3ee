"""Sums of weights over histories."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.models.item_scores import ItemWeights, score
from recsys.ragged import Ragged


def ragged(matrix: np.ndarray) -> Ragged:
    rows = sparse.csr_array(matrix.astype(np.float32))
    return Ragged(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data)


@pytest.mark.parametrize("at_once", [2, 256])
def test_ragged_and_dense_weights_give_the_product(at_once: int) -> None:
    rng = np.random.default_rng(0)
    chosen = rng.random((9, 6)) < 0.4
    chosen[3] = False
    weights = (rng.normal(size=(6, 6)) * (rng.random((6, 6)) < 0.5)).astype(np.float32)
    ids = IdMap(pl.Series([f"i{item}" for item in range(6)]))
    people = IdMap(pl.Series([f"u{user}" for user in range(9)]))
    history = Ragged(ragged(chosen).indptr, ragged(chosen).indices)
    asked = np.array([8, 3, 3, 0, 5])
    for each in (weights, ragged(weights)):
        scores = score(each, history, asked, at_once)
        np.testing.assert_array_equal(ItemWeights(each, history, people, ids).scores(asked), scores)
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, chosen[asked].astype(float) @ weights, atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "ragged"])
def test_as_inner_products_the_scores_are_the_same(kind: str) -> None:
    rng = np.random.default_rng(1)
    chosen = rng.random((9, 6)) < 0.4
    weights = (rng.normal(size=(6, 6)) * (rng.random((6, 6)) < 0.7)).astype(np.float32)
    model = ItemWeights(
        weights if kind == "dense" else ragged(weights),
        Ragged(ragged(chosen).indptr, ragged(chosen).indices),
        IdMap(pl.Series([f"u{user}" for user in range(9)])),
        IdMap(pl.Series([f"i{item}" for item in range(6)])),
    )
    served = model.embeddings()
    np.testing.assert_allclose(served.scores(np.arange(9)), model.scores(np.arange(9)), atol=1e-6)
    assert served.inputs is not None
    np.testing.assert_array_equal(served.inputs[np.flatnonzero(chosen[2])].sum(axis=0), served.users[2])


def test_weights_too_large_to_serve_are_refused() -> None:
    ids = IdMap(pl.Series(["a", "b", "c"]))
    history = Ragged(np.array([0, 1]), np.array([0], dtype=np.int32))
    model = ItemWeights(np.eye(3, dtype=np.float32), history, IdMap(pl.Series(["u"])), ids)
    needed = 4 * 3 * (1 + 2 * 3)
    with pytest.raises(InputError, match=r"between 3 items to 1 users takes 0\.0 GiB"):
        model.embeddings(most=needed - 1)
    assert model.embeddings(most=needed).dim == 3


def test_nobody_has_no_scores() -> None:
    history = Ragged(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32))
    scores = score(np.eye(3, dtype=np.float32), history, np.zeros(0, dtype=np.int64))
    assert scores.shape == (0, 3)

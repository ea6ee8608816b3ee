"""The spectral model against a dense singular value decomposition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.ids import IdMap
from recsys.models.spectral import Spectral
from recsys.plugins import make
from tests.factories import interactions, raw
from tests.splits import read_split


def fitted(model: Spectral, log: Interactions) -> Embeddings:
    scorer = model.fit(log).scorer
    assert isinstance(scorer, Embeddings)
    return scorer


def by_hand(log: Interactions, model: Spectral) -> np.ndarray:
    """Scores (U, I) by the formula, with numpy's dense SVD."""
    weights = log.csr().toarray().astype(np.float64)
    users, items = weights.sum(axis=1), weights.sum(axis=0)
    _, values, right = np.linalg.svd(weights / np.outer(users**model.user_power, items**model.item_power))
    vectors, damped = right[: model.dim].T, (values[: model.dim] / values[0]) ** model.singular_power
    history = (weights > 0).astype(float)
    inputs = vectors * damped / items[:, None] ** model.item_power
    return history @ inputs @ (vectors * items[:, None] ** (model.item_power - model.discount)).T


PLAIN = Spectral(user_power=0.5, item_power=0.5, singular_power=0.0, discount=0.0)


@pytest.mark.parametrize("dim", [1, 5, 20])
@pytest.mark.parametrize("model", [Spectral(), PLAIN], ids=["default", "plain"])
def test_scores_are_those_of_the_dense_decomposition(model: Spectral, dim: int) -> None:
    log, model = interactions(), replace(model, dim=dim, iterations=200)
    scores = fitted(model, log).scores(np.arange(len(log.users)))
    np.testing.assert_allclose(scores, by_hand(log, model), atol=2e-3)


def test_more_dimensions_than_the_log_has_give_the_history_back() -> None:
    log = interactions()
    model = fitted(replace(PLAIN, dim=100), log)
    assert model.dim == 100
    scores = model.scores(np.arange(len(log.users)))
    np.testing.assert_allclose(scores, log.csr().toarray() > 0, atol=1e-2)


def test_a_user_is_the_sum_of_the_inputs_of_the_history() -> None:
    log = interactions()
    model = fitted(Spectral(dim=6), log)
    assert (model.fold_in.name, dict(model.fold_in.options)) == ("sum", {"power": 0.0})
    assert model.inputs is not None
    for user in range(len(log.users)):
        history = model.inputs[log.histories().row(user)]
        np.testing.assert_allclose(history.sum(axis=0), model.users[user], atol=1e-5)


def test_signs_and_bytes_are_the_same_each_time() -> None:
    log = interactions()
    first, again = (fitted(Spectral(dim=4), log) for _ in range(2))
    assert first.items.tobytes() == again.items.tobytes()
    other = fitted(Spectral(dim=4, iterations=100, seed=7), log)
    same = fitted(Spectral(dim=4, iterations=100), log)
    np.testing.assert_allclose(np.sign(same.items[:, 0]), np.sign(other.items[:, 0]))


def test_an_item_nobody_chose_is_at_the_origin() -> None:
    users, items = IdMap(pl.Series(["a", "b"])), IdMap(pl.Series(["1", "2", "3"]))
    log = Interactions.encode(raw([("a", "1"), ("b", "1"), ("b", "3")]), users, items)
    model = fitted(Spectral(dim=8), log)
    assert not model.items[1].any()
    assert model.items[0].any()


def test_the_rounds_are_chosen_on_the_validation_set() -> None:
    log = interactions()
    judged: list[float] = []

    def prefers_the_second(scorer: object) -> float:
        judged.append([0.1, 0.3, 0.2, 0.3][len(judged)])
        return judged[-1]

    chosen = Spectral(dim=4, iterations=12).fit(log, validate=prefers_the_second)
    assert len(judged) == 4  # after 2, 4, 8 and all 12 rounds
    assert chosen.chosen == {"iterations": 4}
    assert isinstance(chosen.scorer, Embeddings)
    assert chosen.scorer.items.tobytes() == fitted(Spectral(dim=4, iterations=4), log).items.tobytes()


@pytest.mark.parametrize("name", ["dim", "iterations"])
def test_an_option_below_1_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is 0"):
        make("models", "spectral", {name: 0})


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dim", "recall", "ndcg"),
    [
        ("movielens1m_m1", 64, 0.2733, 0.2604),
        ("ir-amazon2014-electronic", 64, 0.0911, 0.0602),
        ("ir-amazon2014-health", 32, 0.1694, 0.1271),
        ("gowalla", 64, 0.1327, 0.1178),
    ],
)
def test_quality_is_the_known_one(realdata: Path, name: str, dim: int, recall: float, ndcg: float) -> None:
    train, test = read_split(realdata / name)
    found = evaluate(
        replace(PLAIN, dim=dim).fit(train).scorer,
        Truth.of(test, train.users, train.items),
        train.histories(),
        metrics=("recall@20", "ndcg@20"),
    )
    assert found.values["recall@20"] >= 0.97 * recall
    assert found.values["ndcg@20"] >= 0.97 * ndcg

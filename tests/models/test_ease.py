"""EASE against its definition: the constrained ridge regression, solved item by item."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.models import ease
from recsys.models.ease import EASE
from recsys.models.item_scores import ItemWeights
from recsys.plugins import make
from recsys.retrieval.fold_in import fold_in
from tests.factories import interactions, raw
from tests.splits import read_split


def by_hand(log: Interactions, regularization: float) -> np.ndarray:
    """Scores (U, I): for each item the ridge regression of its column on all other columns."""
    chosen = (log.csr().toarray() > 0).astype(float)
    weights = np.zeros((chosen.shape[1], chosen.shape[1]))
    for item in range(chosen.shape[1]):
        others = np.delete(np.arange(chosen.shape[1]), item)
        inputs = chosen[:, others]
        left = inputs.T @ inputs + regularization * np.eye(len(others))
        weights[others, item] = np.linalg.solve(left, inputs.T @ chosen[:, item])
    return chosen @ weights


@pytest.mark.parametrize("regularization", [0.5, 30.0])
def test_scores_solve_the_regression(regularization: float) -> None:
    log = interactions()
    scores = EASE(regularization).fit(log).scorer.scores(np.arange(len(log.users)))
    np.testing.assert_allclose(scores, by_hand(log, regularization), atol=1e-5)


def test_the_cut_is_the_nearest_score_of_that_rank() -> None:
    log, everyone = interactions(), np.arange(len(interactions().users))
    left, values, right = np.linalg.svd(by_hand(log, 5.0), full_matrices=False)
    for dim in (1, 4, len(log.items)):
        model = EASE(5.0, dim).fit(log).scorer
        assert isinstance(model, Embeddings)
        assert model.dim == dim
        nearest = (left[:, :dim] * values[:dim]) @ right[:dim]
        np.testing.assert_allclose(model.scores(everyone), nearest, atol=2e-3)


def test_a_history_is_served_as_its_user_after_the_cut() -> None:
    log = interactions()
    model = EASE(5.0, dim=4).fit(log).scorer
    history = log.histories()
    for user in range(5):
        codes = history.indices[history.indptr[user] : history.indptr[user + 1]]
        np.testing.assert_allclose(fold_in(model, codes, lambda: None), model.users[user], rtol=1e-4)


def test_a_dim_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="dim is 0"):
        make("models", "ease", {"dim": 0})


def test_no_item_predicts_itself() -> None:
    scorer = EASE(1.0).fit(interactions()).scorer
    assert isinstance(scorer, ItemWeights)
    assert isinstance(scorer.weights, np.ndarray)
    assert not np.diag(scorer.weights).any()


@pytest.mark.parametrize("at_once", [1, 7, 39, 1024])
def test_blocks_of_any_size_give_the_product_and_the_inverse(at_once: int) -> None:
    matrix = interactions().csr()
    product = ease.gram(matrix, at_once)
    np.testing.assert_allclose(product, matrix.toarray().T.astype(float) @ matrix.toarray(), rtol=1e-6)
    ridged = product + 3 * np.eye(len(product))
    np.testing.assert_allclose(ease.inverse(ridged.copy(), at_once) @ ridged, np.eye(len(product)), atol=1e-9)


def test_weights_do_not_count() -> None:
    rows = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "3")]
    plain, weighted = (
        EASE(1.0).fit(Interactions.of(raw(rows, weights=weights))).scorer.scores(np.arange(2))
        for weights in (None, [0.1, 9.0, 2.0, 0.0])
    )
    assert plain.tobytes() == weighted.tobytes()


def test_a_catalogue_that_does_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "available_bytes", lambda: 2**14)
    with pytest.raises(InputError, match=r"dense matrix of 39 x 39 items, which takes 0\.0 GiB"):
        EASE().fit(interactions())
    with pytest.raises(InputError, match=r"1,000,000 x 1,000,000 items, which takes 11,175\.9 GiB; 8\.0 GiB"):
        ease.check_size(1_000_000, 2**33)
    ease.check_size(1000, 12_000_000)


@pytest.mark.parametrize("regularization", [0.0, -1.0, float("nan")])
def test_a_regularization_that_is_not_above_0_is_refused(regularization: float) -> None:
    with pytest.raises(InputError, match="regularization is"):
        make("models", "ease", {"regularization": regularization})


@pytest.mark.realdata
@pytest.mark.slow
def test_quality_is_the_known_one(realdata: Path) -> None:
    train, test = read_split(realdata / "movielens1m_m1")
    found = evaluate(
        EASE(500.0).fit(train).scorer,
        Truth.of(test, train.users, train.items),
        train.histories(),
        metrics=("recall@20", "ndcg@20"),
    )
    assert found.values["recall@20"] == pytest.approx(0.2759, abs=2e-4)
    assert found.values["ndcg@20"] == pytest.approx(0.2660, abs=2e-4)

"""Alternating least squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError, RecsysError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.models.als import ALS
from recsys.plugins import make
from tests.factories import interactions, raw
from tests.splits import read_split


def fitted(model: ALS, log: Interactions) -> Embeddings:
    scorer = model.fit(log).scorer
    assert isinstance(scorer, Embeddings)
    return scorer


def loss(
    log: Interactions, users: np.ndarray, items: np.ndarray, alpha: float, regularization: float
) -> float:
    """The paper's equation 3 over every pair, in loops."""
    weights, total = log.csr().todense(), 0.0
    for user, row in enumerate(weights):
        for item, weight in enumerate(row):
            confidence, wanted = (alpha * weight, 1.0) if weight else (1.0, 0.0)
            total += confidence * (wanted - float(users[user] @ items[item])) ** 2
    return total + regularization * float((users**2).sum() + (items**2).sum())


def test_the_vectors_are_at_a_stationary_point_of_the_loss() -> None:
    log = interactions()
    model = fitted(ALS(dim=3, alpha=5.0, regularization=2.0, iterations=200), log)
    users, items = model.users.astype(np.float64), model.items.astype(np.float64)
    least = loss(log, users, items, 5.0, 2.0)
    rng = np.random.default_rng(0)
    for _ in range(8):
        step = 0.05 * rng.standard_normal(items.shape)
        assert loss(log, users, items + step, 5.0, 2.0) > least
        assert loss(log, users + 0.05 * rng.standard_normal(users.shape), items, 5.0, 2.0) > least


def test_weights_are_confidence() -> None:
    rows = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "3")]
    heavy = fitted(ALS(dim=2, alpha=3.0), Interactions.of(raw(rows, weights=[2.0] * 4)))
    alike = fitted(ALS(dim=2, alpha=6.0), Interactions.of(raw(rows)))
    np.testing.assert_allclose(heavy.items, alike.items, rtol=1e-5)


def test_a_user_is_folded_in_as_training_would_have_it() -> None:
    log = interactions()
    model = fitted(ALS(dim=4, alpha=7.0, regularization=1.5, iterations=300), log)
    assert model.fold_in.name == "least_squares"
    alpha, regularization = (model.fold_in.options[name] for name in ("alpha", "regularization"))
    items = model.items.astype(np.float64)
    for user in range(5):
        chosen = items[log.histories().row(user)]
        left = items.T @ items + (alpha - 1) * chosen.T @ chosen + regularization * np.eye(4)
        solved = np.linalg.solve(left, alpha * chosen.sum(axis=0))
        np.testing.assert_allclose(solved, model.users[user], atol=0.02 * np.abs(model.users).max())


def test_every_iteration_is_reported() -> None:
    steps: list[int] = []
    ALS(dim=2, iterations=3).fit(interactions(), report=lambda step, figures: steps.append(step))
    assert steps == [1, 2, 3]


@pytest.mark.parametrize(
    "options",
    [{"dim": 0}, {"iterations": 0}, {"alpha": 0.0}, {"regularization": -1.0}, {"alpha": float("nan")}],
)
def test_an_option_outside_its_range_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        make("models", "als", options)


def test_vectors_that_are_not_finite_are_an_error() -> None:
    log = Interactions.of(raw([("a", "1"), ("b", "2")], weights=[3e38, 3e38]))
    with pytest.raises(RecsysError, match=r"ALS gave vectors that are not finite with alpha 1\.0"):
        ALS(dim=2, alpha=1.0).fit(log)


# Best on the test file, as the published rows beside it: alpha, regularization, Recall@20 and NDCG@20.
@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "alpha", "regularization", "recall", "ndcg"),
    [
        ("movielens1m_m1", 5.0, 30.0, 0.2723, 0.2573),
        ("ir-amazon2014-electronic", 20.0, 100.0, 0.0824, 0.0534),
        ("ir-amazon2014-health", 20.0, 100.0, 0.1855, 0.1408),
        ("gowalla", 60.0, 100.0, 0.1504, 0.1264),
    ],
)
def test_quality_is_that_of_a_tuned_als(
    realdata: Path, name: str, alpha: float, regularization: float, recall: float, ndcg: float
) -> None:
    train, test = read_split(realdata / name)
    model = ALS(dim=64, alpha=alpha, regularization=regularization).fit(train).scorer
    found = evaluate(
        model,
        Truth.of(test, train.users, train.items),
        train.histories(),
        metrics=("recall@20", "ndcg@20"),
    )
    assert found.values["recall@20"] >= 0.97 * recall
    assert found.values["ndcg@20"] >= 0.97 * ndcg

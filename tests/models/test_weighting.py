"""Weightings against their definitions in loops, and what models make of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from implicit.nearest_neighbours import bm25_weight

from recsys.columns import WEIGHT
from recsys.data.tables import Interactions
from recsys.errors import InputError, RecsysError
from recsys.models.als import ALS
from recsys.models.ease import EASE
from recsys.models.item_knn import ItemKNN
from recsys.models.weighting import K1, WEIGHTINGS, B, bm25, varies, weighted
from recsys.plugins import make
from tests.factories import random_log, raw

MODELS = ("als", "ease", "item_knn", "spectral")


def counts(seed: int = 0) -> Interactions:
    """A log whose weights are counts with a long tail."""
    log = random_log(seed=seed)
    draws = np.random.default_rng(seed).pareto(1.0, log.height)
    return Interactions.of(log.with_columns(pl.Series(WEIGHT, 1 + np.floor(draws), dtype=pl.Float32)))


def entries(log: Interactions) -> dict[tuple[int, int], float]:
    return {(user, item): weight for user, item, _, weight in log.frame.iter_rows()}


def dense(log: Interactions, weighting: str) -> np.ndarray:
    return np.asarray(weighted(log, weighting).toarray(), dtype=np.float64)


def bm25_by_hand(log: Interactions) -> dict[tuple[int, int], float]:
    """The formula, an entry at a time."""
    weights, users = entries(log), len(log.users)
    sums = [sum(w for (u, _), w in weights.items() if u == user) for user in range(users)]
    chosen_by = [sum(1 for _, i in weights if i == item) for item in range(len(log.items))]
    found = {}
    for (user, item), weight in weights.items():
        length = 1 - B + B * sums[user] / (sum(sums) / users)
        idf = max(math.log(users) - math.log(1 + chosen_by[item]), 1 / users)
        found[user, item] = weight * (K1 + 1) / (K1 * length + weight) * idf
    return found


def test_raw_and_none_are_the_weights_and_ones() -> None:
    log = counts()
    for (user, item), weight in entries(log).items():
        assert dense(log, "raw")[user, item] == weight
        assert dense(log, "none")[user, item] == 1


@pytest.mark.parametrize("weighting", ["log1p", "bm25"])
def test_a_transform_is_its_definition_divided_by_its_mean(weighting: str) -> None:
    log = counts()
    expected = (
        bm25_by_hand(log)
        if weighting == "bm25"
        else {pair: math.log(1 + weight) for pair, weight in entries(log).items()}
    )
    mean = sum(expected.values()) / len(expected)
    found = dense(log, weighting)
    assert np.count_nonzero(found) == len(expected)
    for pair, value in expected.items():
        assert found[pair] == pytest.approx(value / mean, rel=1e-5)


def test_bm25_is_that_of_implicit_with_users_for_documents() -> None:
    log = counts()
    theirs = bm25_weight(log.csr().astype(np.float64), K1=K1, B=B).tocsr()
    theirs.sort_indices()
    mine = bm25(log.csr())
    assert (theirs.data > 0).all()  # nothing in this log is chosen by all
    np.testing.assert_allclose(mine, theirs.data, rtol=1e-9)


def test_an_item_that_everyone_chose_still_counts() -> None:
    log = Interactions.of(raw([("a", "1"), ("b", "1"), ("c", "1"), ("a", "2")]))
    assert (bm25_weight(log.csr().astype(np.float64)).data < 0).any()
    assert (weighted(log, "bm25").data > 0).all()


@given(st.lists(st.floats(1e-3, 1e12), min_size=4, max_size=4), st.sampled_from(["log1p", "bm25"]))
def test_order_is_kept_within_a_user_and_values_stay_finite(weights: list[float], weighting: str) -> None:
    """Of items that equally many chose, the one with more weight weighs no less."""
    log = Interactions.of(raw([("a", "1"), ("a", "2"), ("b", "3"), ("b", "4")], weights=weights))
    values = weighted(log, weighting).data
    assert np.isfinite(values).all()
    assert (values > 0).all()
    assert values.mean() == pytest.approx(1, rel=1e-5)
    for first in (0, 2):
        if weights[first] <= weights[first + 1]:
            assert values[first] <= values[first + 1] * (1 + 1e-6)


def test_an_unknown_weighting_is_refused_by_all() -> None:
    with pytest.raises(ValueError, match="weighting is 'sqrt'; it can be none, raw, log1p, bm25"):
        weighted(counts(), "sqrt")
    for name in (*MODELS, "two_tower"):
        with pytest.raises(InputError, match="weighting is 'sqrt'"):
            make("models", name, {"weighting": "sqrt"})


def test_weights_vary_or_they_do_not() -> None:
    assert varies(counts())
    assert not varies(Interactions.of(random_log()))
    assert not varies(Interactions.of(random_log().with_columns(pl.lit(3.0, pl.Float32).alias(WEIGHT))))


def scores(name: str, log: Interactions, **options: Any) -> np.ndarray:
    return np.asarray(make("models", name, options).fit(log).scorer.scores(np.arange(len(log.users))))


@pytest.mark.parametrize("name", MODELS)
def test_none_is_the_log_without_its_weights(name: str) -> None:
    log = counts()
    plain = Interactions(log.frame.with_columns(pl.lit(1.0, pl.Float32).alias(WEIGHT)), log.users, log.items)
    assert scores(name, log, weighting="none").tobytes() == scores(name, plain, weighting="raw").tobytes()
    assert scores(name, plain).tobytes() == scores(name, plain, weighting="none").tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_every_weighting_makes_another_model(name: str) -> None:
    log = counts()
    found = {weighting: scores(name, log, weighting=weighting).tobytes() for weighting in WEIGHTINGS}
    assert len(set(found.values())) == len(WEIGHTINGS)


def test_ease_is_the_ridge_regression_of_the_weighted_matrix() -> None:
    log = counts()
    for weighting in WEIGHTINGS:
        matrix = dense(log, weighting)
        inverse = np.linalg.inv(matrix.T @ matrix + 20 * np.eye(matrix.shape[1]))
        between = -inverse / np.diag(inverse)
        np.fill_diagonal(between, 0)
        found = EASE(20.0, weighting=weighting).fit(log).scorer.scores(np.arange(len(log.users)))
        np.testing.assert_allclose(found, (matrix > 0) @ between, atol=2e-5)


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
def test_item_knn_compares_weighted_columns(similarity: Any) -> None:
    log = counts()
    matrix = dense(log, "log1p")
    items = matrix.shape[1]
    near = np.zeros((items, items))
    for one in range(items):
        for other in range(items):
            if one != other:
                common = sum(matrix[user, one] * matrix[user, other] for user in range(len(matrix)))
                squares = [sum(value**2 for value in matrix[:, item]) for item in (one, other)]
                whole = (
                    math.sqrt(squares[0] * squares[1]) if similarity == "cosine" else sum(squares) - common
                )
                near[one, other] = common / (whole + 5.0)
    model = ItemKNN(similarity, neighbours=items, shrinkage=5.0, weighting="log1p")
    found = model.fit(log).scorer.scores(np.arange(len(log.users)))
    np.testing.assert_allclose(found, (matrix > 0) @ near, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_history_has_the_confidence_that_training_had_on_average(weighting: str) -> None:
    log = counts()
    options = ALS(dim=2, alpha=3.0, weighting=weighting).fit(log).scorer.fold_in.options  # type: ignore[attr-defined]
    mean = float(weighted(log, weighting).data.mean(dtype=np.float64))
    assert options["alpha"] == pytest.approx(3.0 * mean)
    if weighting != "raw":
        assert options["alpha"] == pytest.approx(3.0, rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_weights_beyond_a_float_are_an_error_that_says_what_to_do(name: str) -> None:
    rows = [(f"u{user}", f"i{item}") for user in range(4) for item in range(3)]
    log = Interactions.of(raw(rows, weights=[3e38] * 11 + [1e38]))
    with (
        np.errstate(all="ignore"),
        pytest.raises(RecsysError, match=r"weighting (none or )?log1p"),
    ):
        make("models", name, {"weighting": "raw"}).fit(log)
    assert np.isfinite(scores(name, log, weighting="log1p")).all()
    assert np.isfinite(scores(name, log, weighting="bm25")).all()

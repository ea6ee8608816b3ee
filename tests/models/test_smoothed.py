"""Light propagation against dense matrices, and against loops over neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.choosing import Judgement
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.model import Scorer
from recsys.models.smoothed import Smoothed, best_hops, smoothed
from recsys.models.spectral import Spectral
from recsys.plugins import make
from tests.factories import interactions

LOG = interactions()
EVERYONE = np.arange(len(LOG.users))


def plain(name: str = "als", **options: Any) -> Embeddings:
    found = make("models", name, {"dim": 4, **options}).fit(LOG)
    assert isinstance(found.scorer, Embeddings)
    return found.scorer


def cosine() -> Embeddings:
    tower = {"epochs": 2, "batch": 64, "candidates": 32, "device": "cpu", "loss": "bpr", "hops": 0}
    return plain("two_tower", **tower)


def by_loops(users: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of equation 3: sum over neighbours of e / sqrt(|N_u| |N_i|)."""
    pairs = list(LOG.frame.select("user", "item").iter_rows())
    of_user = [sum(u == user for u, _ in pairs) for user in range(len(users))]
    of_item = [sum(i == item for _, i in pairs) for item in range(len(items))]
    next_users, next_items = np.zeros_like(users), np.zeros_like(items)
    for user, item in pairs:
        share = 1 / math.sqrt(of_user[user] * of_item[item])
        next_users[user] += share * items[item]
        next_items[item] += share * users[user]
    return next_users, next_items


@pytest.mark.parametrize("start", [plain, cosine])
def test_points_are_the_sum_of_the_layers(start: Callable[[], Embeddings]) -> None:
    model = start()
    layers = [(model.users.astype(float), model.items.astype(float))]
    for _ in range(2):
        layers.append(by_loops(*layers[-1]))
    hops, found = best_hops(model, LOG, 2, None)
    assert (hops, found.distance, found.dim) == (2, "dot", 4)
    np.testing.assert_allclose(found.users, sum(users for users, _ in layers), atol=1e-4)
    np.testing.assert_allclose(found.items, sum(items for _, items in layers), atol=1e-4)


def test_no_hop_is_the_model_itself() -> None:
    model = plain()
    assert best_hops(model, LOG, 0, None) == (0, model)


def test_a_score_that_is_no_inner_product_is_left_as_it_is() -> None:
    model = replace(plain(), distance="manhattan")
    assert best_hops(model, LOG, 2, None) == (0, model)


@pytest.mark.parametrize("best", [0, 1, 2])
def test_the_validation_set_judges_every_number_of_hops(best: int) -> None:
    model = plain()
    judged: list[Scorer] = []

    def validate(scorer: Scorer) -> float:
        judged.append(scorer)
        return float(len(judged) - 1 == best)

    hops, found = best_hops(model, LOG, 2, validate)
    assert (hops, len(judged)) == (best, 3)
    again = best_hops(model, LOG, best, None)[1]
    assert again.scores(EVERYONE).tobytes() == found.scores(EVERYONE).tobytes()


@pytest.mark.parametrize(("ahead", "best"), [(0.01, 0), (0.1, 2)])
def test_hops_are_taken_only_where_they_are_clearly_better(ahead: float, best: int) -> None:
    """The standard error of the difference is .02."""
    gaps, judged = np.tile([-0.2, 0.2], 50), []

    def validate(scorer: Scorer) -> float:
        judged.append(scorer)
        return Judgement(0.5 + (gaps + ahead if len(judged) == 3 else 0 * gaps))

    assert best_hops(plain(), LOG, 2, validate)[0] == best


def test_two_tower_takes_what_the_validation_set_likes_best_and_refits_it() -> None:
    options = {"dim": 4, "epochs": 2, "batch": 64, "candidates": 32, "device": "cpu"}
    model = make("models", "two_tower", options)
    fitted = model.fit(LOG, validate=lambda scorer: float(scorer.distance == "dot"))
    assert fitted.chosen["hops"] == 1
    again = replace(model, **fitted.chosen).fit(LOG)
    assert again.chosen["hops"] == 1
    assert again.scorer.distance == "dot"


def test_a_history_is_served_near_to_its_user() -> None:
    _, model = best_hops(plain("spectral", dim=6), LOG, 1, None)
    assert model.inputs is not None
    history = (LOG.csr().toarray() > 0).astype(float)
    folded = (history @ model.inputs) / history.sum(axis=1, keepdims=True) ** model.fold_in.options["power"]
    mine, served = (users @ model.items.T.astype(float) for users in (model.users, folded))
    agreement = [np.corrcoef(one, other)[0, 1] for one, other in zip(mine, served, strict=True)]
    assert np.mean(agreement) > 0.95


def test_a_smoothed_model_is_its_model_after_so_many_steps() -> None:
    """Any model of vectors: without validation exactly so many steps, with it those that help."""
    plain = Spectral(dim=4).fit(LOG).scorer
    assert isinstance(plain, Embeddings)
    of = {"name": "spectral", "dim": 4}
    fitted = Smoothed(of, hops=2).fit(LOG)
    assert fitted.chosen["hops"] == 2
    np.testing.assert_allclose(
        fitted.scorer.scores(EVERYONE), list(smoothed(plain, LOG, 2))[2].scores(EVERYONE), atol=1e-5
    )
    worse = Smoothed(of, hops=2).fit(LOG, validate=lambda scorer: float(scorer_is(scorer, plain)))
    assert worse.chosen["hops"] == 0
    again = Smoothed(**worse.chosen).fit(LOG)
    np.testing.assert_array_equal(again.scorer.scores(EVERYONE), plain.scores(EVERYONE))


def scorer_is(scorer: object, other: Embeddings) -> bool:
    assert isinstance(scorer, Embeddings)
    return scorer.users.shape == other.users.shape and np.array_equal(scorer.users, other.users)


@pytest.mark.parametrize(("of", "message"), [("ease", "item to item"), ("nothing", "unknown model")])
def test_what_has_no_vectors_is_refused_when_it_is_made(of: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Smoothed(of)

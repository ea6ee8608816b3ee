"""Light propagation against dense matrices, and against loops over neighbours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.model import Scorer
from recsys.models.propagated import Propagated
from recsys.plugins import make
from tests.factories import interactions

LOG = interactions()
EVERYONE = np.arange(len(LOG.users))
TWO_TOWER = {
    "name": "two_tower", "dim": 4, "epochs": 2, "batch": 64, "candidates": 32, "device": "cpu", "loss": "bpr"
}  # fmt: skip


def fitted(model: Propagated, **given: Any) -> Embeddings:
    scorer = model.fit(LOG, **given).scorer
    assert isinstance(scorer, Embeddings)
    return scorer


def plain(of: dict[str, Any]) -> Embeddings:
    found = make("models", of["name"], {key: value for key, value in of.items() if key != "name"}).fit(LOG)
    assert isinstance(found.scorer, Embeddings)
    return found.scorer


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


@pytest.mark.parametrize("of", [{"name": "als", "dim": 4}, TWO_TOWER], ids=["dot", "cosine"])
def test_points_are_the_sum_of_the_layers(of: dict[str, Any]) -> None:
    start = plain(of)
    layers = [(start.users.astype(float), start.items.astype(float))]
    for _ in range(2):
        layers.append(by_loops(*layers[-1]))
    model = fitted(Propagated(of=of, hops=2))
    assert (model.distance, model.dim) == ("dot", 4)
    np.testing.assert_allclose(model.users, sum(users for users, _ in layers), atol=1e-4)
    np.testing.assert_allclose(model.items, sum(items for _, items in layers), atol=1e-4)


def test_no_hop_is_the_model_itself() -> None:
    of = {"name": "als", "dim": 4}
    assert (
        fitted(Propagated(of=of, hops=0)).scores(EVERYONE).tobytes() == plain(of).scores(EVERYONE).tobytes()
    )


@pytest.mark.parametrize("best", [0, 1, 2])
def test_the_valid_part_judges_every_number_of_hops(best: int) -> None:
    of = {"name": "spectral", "dim": 4, "iterations": 2}
    judged: list[Scorer] = []

    def validate(scorer: Scorer) -> float:
        judged.append(scorer)
        return 0.0 if len(judged) == 1 else float(len(judged) - 2 == best)  # the first judges the model

    found = Propagated(of=of, hops=2).fit(LOG, validate=validate)
    assert len(judged) == 1 + 3
    assert found.chosen["hops"] == best
    again = fitted(Propagated(of=found.chosen["of"], hops=best))
    assert again.scores(EVERYONE).tobytes() == found.scorer.scores(EVERYONE).tobytes()


def test_a_history_is_served_near_to_its_user() -> None:
    model = fitted(Propagated(of={"name": "spectral", "dim": 6}, hops=1))
    assert model.inputs is not None
    history = (LOG.csr().toarray() > 0).astype(float)
    folded = (history @ model.inputs) / history.sum(axis=1, keepdims=True) ** model.fold_in.options["power"]
    mine, served = (users @ model.items.T.astype(float) for users in (model.users, folded))
    agreement = [np.corrcoef(one, other)[0, 1] for one, other in zip(mine, served, strict=True)]
    assert np.mean(agreement) > 0.95


def test_what_cannot_be_propagated_is_refused() -> None:
    with pytest.raises(InputError, match="hops is -1"):
        make("models", "propagated", {"hops": -1})
    with pytest.raises(InputError, match="item_knn is not made of vectors"):
        Propagated(of="item_knn").fit(LOG)
    manhattan = TWO_TOWER | {"distance": "manhattan"}
    with pytest.raises(InputError, match="manhattan is not an inner product"):
        Propagated(of=manhattan, hops=1).fit(LOG)

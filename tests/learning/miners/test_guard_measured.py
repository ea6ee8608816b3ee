"""The guard on a planted log: what is liked is known, and half of it was never observed."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.tables import Interactions
from recsys.models.two_tower import TwoTower
from tests import factories

USERS, ITEMS, LIKED, K = 300, 400, 40, 20


def planted(seed: int) -> tuple[Interactions, np.ndarray]:
    """A log of half of what users like, and the likes left out: (U, I) bool. 5 % of the unobserved pairs."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(USERS, 6)) @ rng.normal(size=(6, ITEMS))
    liked = taste >= np.sort(taste, axis=1)[:, -LIKED, None]
    observed = liked & (rng.random(liked.shape) < 0.5)
    observed |= np.eye(USERS, ITEMS, dtype=bool)  # every user and item has a row
    observed[0] |= ~observed.any(0)
    rows = [(f"{user}", f"{item}") for user, item in zip(*observed.nonzero(), strict=True)]
    return factories.interactions(factories.raw(rows)), liked & ~observed


def ndcg(train: Interactions, hidden: np.ndarray, seed: int, miner: str) -> float:
    model = TwoTower(
        loss="triplet", miner=miner, tower="lookup", start="normal", hops=0, rate=0.3, reducer="active",
        dim=16, epochs=20, batch=256, candidates=ITEMS, seed=seed, device="cpu", precision="fp32",
    )  # fmt: skip
    scores = model.fit(train).scorer.scores(np.arange(USERS))
    scores[train.csr().nonzero()] = -np.inf
    best = np.argsort(-scores, axis=1)[:, :K]
    discount = 1 / np.log2(np.arange(2, K + 2))
    sizes = np.minimum(hidden.sum(1), K)
    gains = (np.take_along_axis(hidden, best, 1) * discount).sum(1)
    ideal = np.concatenate([[np.nan], discount.cumsum()])[sizes]
    return float(np.nanmean(gains / ideal))


@pytest.mark.slow
def test_it_finds_more_of_what_was_not_observed() -> None:
    train, hidden = planted(seed=0)
    assert hidden.sum() / (USERS * ITEMS - len(train)) == pytest.approx(0.05, abs=0.01)
    assert ndcg(train, hidden, 0, "guard") > ndcg(train, hidden, 0, "everything") + 0.01

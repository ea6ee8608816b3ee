"""Every part, by its name and at its defaults, in a whole training: what a user types must learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.models.two_tower import TwoTower
from tests.factories import checkerboard, dislikes

pytestmark = pytest.mark.slow


def found(**options: Any) -> float:
    """Share of users whose held-out item is the first they have not chosen; random ranking gives 1 in 9."""
    train, test = checkerboard()
    model = TwoTower(
        **{
            "dim": 8,
            "epochs": 40,
            "batch": 64,
            "candidates": 8,
            "device": "cpu",
            "precision": "fp32",
            **options,
        }
    )
    log = Interactions.of(train, dislikes(train.vstack(test)))
    scorer = model.fit(log).scorer
    scores = scorer.scores(np.arange(len(log.users)))
    scores[log.csr().nonzero()] = -np.inf
    first = log.items.ids.to_numpy()[scores.argmax(1)]
    truth = dict(zip(test["user"].to_list(), test["item"].to_list(), strict=True))
    return float(np.mean([truth[user] == item for user, item in zip(log.users.ids, first, strict=True)]))


@pytest.mark.parametrize("name", plugins.names("losses"))
def test_losses(name: str) -> None:
    assert found(loss=name) > 0.4


@pytest.mark.parametrize("name", plugins.names("distances"))
def test_distances(name: str) -> None:
    assert found(distance=name, loss="triplet") > 0.4


@pytest.mark.parametrize("name", plugins.names("miners"))
def test_miners(name: str) -> None:
    options = {"distance_weighted": {"dim": 8}}.get(name, {})
    assert found(miner={"name": name, **options}) > 0.4


@pytest.mark.parametrize("name", plugins.names("samplers"))
def test_samplers(name: str) -> None:
    assert found(sampler=name, loss="infonce") > 0.4

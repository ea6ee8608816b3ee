"""The history with everything that it can weigh, against the definition in loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, Stored
from recsys.errors import InputError
from recsys.learning.towers.history import History
from recsys.learning.training.interactions import InteractionTensors
from recsys.learning.training.loop import run_epoch
from recsys.models.two_tower import TwoTower
from recsys.retrieval.fold_in import fold_in
from tests import factories

DAY = 86_400_000_000
RNG = np.random.default_rng(0)
PAIRS = sorted({(f"u{RNG.integers(6)}", f"i{RNG.integers(15)}") for _ in range(50)})
TIMES = [int(time) for time in RNG.integers(0, 90, len(PAIRS)) * DAY]
TRAIN = Interactions.of(factories.raw(PAIRS, TIMES))
LOG = InteractionTensors.of(TRAIN, torch.device("cpu"), ages=True)
TABLES = {
    "items": torch.from_numpy(RNG.normal(size=(len(TRAIN.items), 3))),
    "inputs": torch.from_numpy(RNG.normal(size=(len(TRAIN.items), 3))),
    "weights": torch.from_numpy(RNG.normal(size=(len(TRAIN.items), 1))),
}


def history(user: int) -> list[tuple[int, int]]:
    """Items and times of a user, the newest first."""
    rows = TRAIN.frame.filter(TRAIN.frame["user"] == user).select("item", "time").rows()
    return rows[::-1]


def wanted(tower: History, user: int, target: int | None = None) -> list[float]:
    """The sum of the definition, item by item."""
    total, mass = [0.0] * 3, 0.0
    rows = history(user)
    for rank, (item, time) in enumerate(rows):
        if item == target or (tower.longest is not None and rank >= tower.longest):
            continue
        decay = 1.0
        if tower.position is not None:
            decay *= 0.5 ** (rank / tower.position)
        if tower.days is not None:
            decay *= 0.5 ** ((rows[0][1] - time) / DAY / tower.days)
        weight = math.exp(TABLES["weights"][item, 0]) if tower.weighted else 1.0
        vector = TABLES["items" if tower.shared else "inputs"][item].tolist()
        total = [sum_ + decay * weight * value for sum_, value in zip(total, vector, strict=True)]
        mass += decay
    return [value / mass**tower.power for value in total] if mass else total


def towers() -> st.SearchStrategy[History]:
    return st.builds(
        History,
        power=st.sampled_from([0.0, 0.5, 1.0]),
        shared=st.booleans(),
        weighted=st.booleans(),
        position=st.sampled_from([None, 0.7, 5.0]),
        days=st.sampled_from([None, 10.0]),
        longest=st.sampled_from([None, 1, 3, 100]),
    )


def forward(tower: History, codes: list[int], targets: list[int] | None = None) -> torch.Tensor:
    users = LOG.take(torch.tensor(codes))
    aims = None if targets is None else torch.tensor(targets)
    return tower.forward(users, lambda name, rows: TABLES[name][rows], aims)


@given(towers(), st.lists(st.integers(0, len(TRAIN.users) - 1), min_size=1, max_size=8))
def test_the_definition_in_loops(tower: History, codes: list[int]) -> None:
    torch.testing.assert_close(
        forward(tower, codes), torch.tensor([wanted(tower, code) for code in codes], dtype=torch.float64)
    )


@given(towers(), st.data())
def test_the_target_is_left_out_and_its_place_stays_empty(tower: History, data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(TRAIN.users) - 1), min_size=1, max_size=8))
    targets = [data.draw(st.sampled_from(history(code)))[0] for code in codes]
    sums = [wanted(tower, code, target) for code, target in zip(codes, targets, strict=True)]
    torch.testing.assert_close(forward(tower, codes, targets), torch.tensor(sums, dtype=torch.float64))


OPTIONS: list[dict[str, Any]] = [
    {},
    {"shared": True},
    {"weighted": True},
    {"shared": True, "weighted": True, "position": 3.0},
    {"position": 2.0, "longest": 4},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_someone_never_seen_is_served_by_the_same_rule(options: dict[str, Any], tmp_path: Any) -> None:
    """The items of a user, in their order, fold in to the vector of that user."""
    model = TwoTower(
        tower={"name": "history", **options},
        hops=0,
        start_share=0,
        distance="dot",
        dim=4,
        epochs=2,
        batch=8,
        rate=0.1,
    )
    fitted = model.fit(TRAIN).scorer
    assert isinstance(fitted, Embeddings)
    fitted.save(tmp_path)
    stored = Stored.open(tmp_path)
    for user in range(len(TRAIN.users)):
        items = np.array([item for item, _ in history(user)][::-1], dtype=np.int32)
        np.testing.assert_allclose(fold_in(stored, items), fitted.users[user], rtol=1e-4, atol=1e-5)


def test_the_order_of_a_history_matters_where_the_tower_forgets(tmp_path: Any) -> None:
    model = TwoTower(
        tower={"name": "history", "position": 1.0}, hops=0, start_share=0, dim=4, epochs=1, batch=8
    )
    fitted = model.fit(TRAIN).scorer
    assert isinstance(fitted, Embeddings)
    fitted.save(tmp_path)
    stored = Stored.open(tmp_path)
    items = np.array([0, 1, 2], dtype=np.int32)
    assert not np.allclose(fold_in(stored, items), fold_in(stored, items[::-1]))
    np.testing.assert_allclose(fold_in(stored, np.array([2, 0, 1, 2])), fold_in(stored, np.array([0, 1, 2])))


def test_weights_start_at_one_and_are_learned() -> None:
    model = TwoTower(tower={"name": "history", "shared": True, "weighted": True}, dim=4, epochs=1, batch=8)
    work = model.prepare(TRAIN)
    assert work.tables["weights"].shape == (len(TRAIN.items), 1)
    assert (work.tables["weights"] == 0).all()
    run_epoch(work, 1)
    assert (work.tables["weights"] != 0).any()


def test_a_half_life_in_days_needs_times() -> None:
    train = Interactions.of(factories.raw(PAIRS).with_columns(time=None))
    with pytest.raises(InputError, match="this log lacks some; leave days out, or decay by position"):
        TwoTower(tower={"name": "history", "days": 3.0}).fit(train)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"position": 0.0}, "position is 0.0; a half-life must be positive"),
        ({"days": -1.0}, "days is -1.0; a half-life must be positive"),
        ({"longest": 0}, "longest is 0; at least 1 item must count"),
    ],
)
def test_invalid_values_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        History(**options)

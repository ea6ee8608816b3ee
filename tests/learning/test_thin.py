"""Samples of histories: different items, equally likely, that together represent the whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.learning.towers.history import History
from recsys.learning.training.interactions import InteractionTensors, Thin
from recsys.models.two_tower import TwoTower
from tests import factories


def log_of(lengths: list[int]) -> InteractionTensors:
    """Users with so many different items each."""
    users = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    items = torch.cat([torch.arange(length) for length in lengths])
    starts = torch.tensor([0, *lengths]).cumsum(0)
    return InteractionTensors(users, items, starts, max(lengths))


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.integers(1, 12),
    st.floats(0, 1, exclude_max=True, width=32),
)
def test_different_items_that_speak_for_all(lengths: list[int], most: int, start: float) -> None:
    log = log_of(lengths)
    thin = Thin(most, torch.full((len(lengths),), start))
    codes = torch.arange(len(lengths))
    rows, owner, kept, share = thin.rows(log, codes)
    assert kept.tolist() == [min(length, most) for length in lengths] == thin.lengths(log, codes).tolist()
    assert len(set(rows.tolist())) == len(rows)
    assert log.users[rows].tolist() == owner.tolist()
    spoken = torch.zeros(len(lengths)).index_add(0, owner, share)
    torch.testing.assert_close(spoken, torch.tensor(lengths, dtype=torch.float32))


def test_each_item_has_the_same_probability() -> None:
    log, counts, tries = log_of([10]), torch.zeros(10), 1000
    for number in range(tries):
        rows = Thin(4, torch.tensor([(number + 0.5) / tries])).rows(log, torch.tensor([0]))[0]
        counts[log.items[rows]] += 1
    torch.testing.assert_close(counts / tries, torch.full((10,), 0.4), atol=0.005, rtol=0)


def test_a_sample_leaves_the_target_out_of_the_sum_where_it_is_there() -> None:
    log = log_of([6])
    users = log.take(torch.tensor([0, 0]), None, Thin(3, torch.tensor([0.0])))
    assert users.histories.items.tolist() == [0, 2, 4] * 2
    table = torch.eye(6)

    def rows(_: str, codes: torch.Tensor) -> torch.Tensor:
        return table.index_select(0, codes)

    made = History(power=0.0).forward(users, rows, torch.tensor([2, 3]))
    assert made.tolist() == [[2, 0, 0, 0, 2, 0], [2, 0, 2, 0, 2, 0]]


def test_samples_longer_than_every_history_change_nothing() -> None:
    train = Interactions.of(
        factories.raw([(f"u{u}", f"i{(u * j) % 11}") for u in range(1, 9) for j in range(7)])
    )
    model = TwoTower(dim=4, epochs=2, batch=16, candidates=8)
    few, none = (
        model.__class__(**{**model.__dict__, "tower": {"name": "history", "sample": most}}).fit(train).scorer
        for most in (1000, None)
    )
    torch.testing.assert_close(torch.from_numpy(few.items), torch.from_numpy(none.items))


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="sample is 0; at least 1 item must count"):
        TwoTower(tower={"name": "history", "sample": 0}).fit(factories.interactions())

"""What every tower must hold."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from recsys import plugins
from recsys.learning.towers.tower import Tower, Users
from recsys.learning.training.interactions import InteractionTensors
from tests import factories

every = pytest.mark.parametrize("name", plugins.names("towers"))
TRAIN = factories.interactions()
LOG = InteractionTensors.of(TRAIN, torch.device("cpu"))
USERS, ITEMS = len(TRAIN.users), len(TRAIN.items)


def weights(tower: Tower) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    lengths = {"items": ITEMS, **tower.tables(USERS, ITEMS)}
    return {name: torch.randn(lengths[name], 3, generator=rng) for name in sorted(lengths)}


def forward(tower: Tower, tables: dict[str, Tensor], users: Users, targets: Tensor | None = None) -> Tensor:
    return tower.forward(users, lambda name, codes: tables[name][codes], targets)


def made(name: str, **options: Any) -> Tower:
    tower: Tower = plugins.make("towers", name, options)
    return tower


@every
def test_a_vector_for_each_user_in_the_given_order(name: str) -> None:
    tower = made(name)
    tables, codes = weights(tower), torch.tensor([4, 0, 4, USERS - 1])
    vectors = forward(tower, tables, LOG.take(codes))
    assert vectors.shape == (4, 3)
    assert torch.equal(vectors[0], vectors[2])
    for row, code in zip(vectors, codes, strict=True):
        torch.testing.assert_close(row, forward(tower, tables, LOG.take(code[None]))[0])


@every
def test_the_target_is_not_read_while_training(name: str) -> None:
    """Whatever the target's row of the tables holds, the vector that is to predict it stays the same."""
    tower = made(name)
    tables, users = weights(tower), LOG.take(torch.tensor([2, 7]))
    targets = LOG.items[LOG.starts[torch.tensor([2, 7])]]
    before = forward(tower, tables, users, targets)
    for table in ("items", "inputs"):
        if table in tables:
            tables[table][targets[0]] += 5.0
    after = forward(tower, tables, users, targets)
    torch.testing.assert_close(before[0], after[0])


@every
def test_a_user_with_one_item_is_finite(name: str) -> None:
    tower = made(name)
    log = InteractionTensors.of(
        factories.interactions(factories.raw([("a", "x"), ("b", "x"), ("b", "y")])), torch.device("cpu")
    )
    lengths = {"items": 2, **tower.tables(2, 2)}
    tables = {name: torch.randn(length, 3) for name, length in lengths.items()}
    assert forward(tower, tables, log.take(torch.tensor([0])), torch.tensor([0])).isfinite().all()


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_history_is_the_sum_over_a_power_of_the_length(power: float) -> None:
    tower = made("history", power=power)
    tables = weights(tower)
    for user in range(5):
        items = LOG.items[LOG.starts[user] : LOG.starts[user + 1]].tolist()
        total = sum((tables["inputs"][item] for item in items), torch.zeros(3))
        vector = forward(tower, tables, LOG.take(torch.tensor([user])))[0]
        torch.testing.assert_close(vector, total / len(items) ** power)
        rest = total - tables["inputs"][items[0]]
        vector = forward(tower, tables, LOG.take(torch.tensor([user])), torch.tensor([items[0]]))[0]
        torch.testing.assert_close(vector, rest / max(len(items) - 1, 1) ** power)


def test_shared_history_needs_no_table_of_its_own() -> None:
    assert made("history", shared=True).tables(5, 7) == {}
    assert made("history").tables(5, 7) == {"inputs": 7}
    assert made("history", shared=True).fold_in()[1]


def test_a_power_outside_0_to_1_is_refused() -> None:
    with pytest.raises(Exception, match=r"power is 1.5; it must lie in 0..1"):
        made("history", power=1.5)

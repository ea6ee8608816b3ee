"""What every reducer must hold."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.learning.pairs import Terms
from recsys.learning.reducers import REDUCERS

every = pytest.mark.parametrize("name", list(REDUCERS))


def terms(seed: int, rows: int, columns: int) -> Terms:
    rng = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, columns, generator=rng, dtype=torch.float64).relu()
    return Terms(values, torch.rand(rows, columns, generator=rng) < 0.6)


def oracle(name: str, given_: Terms) -> float:
    values = given_.values[given_.mask].tolist()
    counted = [each for each in values if each != 0] if name == "active" else values
    divisor = 1 if name == "sum" else len(counted)
    return sum(counted) / divisor if counted else 0.0


@every
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 4), st.integers(0, 6))
def test_the_definition_whole_and_in_blocks(name: str, seed: int, rows: int, columns: int, cut: int) -> None:
    whole, reduce = terms(seed, rows, columns), REDUCERS[name]
    blocks = [Terms(whole.values[part], whole.mask[part]) for part in (slice(0, cut), slice(cut, rows))]
    expected = pytest.approx(oracle(name, whole))
    assert reduce(whole).value().item() == expected
    assert (reduce(blocks[0]) + reduce(blocks[1])).value().item() == expected


@every
def test_nothing_left_is_zero_with_zero_gradient(name: str) -> None:
    values = torch.tensor([1.0, float("inf")], requires_grad=True)
    value = REDUCERS[name](Terms(values, torch.zeros(2, dtype=torch.bool))).value()
    value.backward()
    assert value == 0
    assert values.grad is not None
    assert (values.grad == 0).all()


@every
def test_half_precision_is_summed_in_float32(name: str) -> None:
    """4096 ones: a bfloat16 sum stops at 256."""
    ones = Terms(torch.ones(4096, dtype=torch.bfloat16), torch.ones(4096, dtype=torch.bool))
    reduced = REDUCERS[name](ones)
    assert reduced.total.dtype == torch.float32
    assert reduced.total == 4096

"""Sums over histories and their gradients, against the definition in loops."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.learning.towers.sums import Bags
from recsys.learning.towers.tower import Histories


def histories(lists: list[list[int]]) -> Histories:
    """One history for each list of item codes."""
    lengths = torch.tensor([len(each) for each in lists])
    items = torch.tensor([item for each in lists for item in each], dtype=torch.int64)
    codes = torch.arange(len(lists))
    return Histories(codes, items, torch.repeat_interleave(lengths), lengths)


LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=6)


@given(LISTS)
def test_sum_in_loops(lists: list[list[int]]) -> None:
    bags = Bags.of(histories(lists))
    assert bags.items.tolist() == sorted({item for each in lists for item in each})
    rng = torch.Generator().manual_seed(0)
    rows = torch.randn(len(bags.items), 3, generator=rng, dtype=torch.float64)
    weights = torch.randn(len(bags.places), generator=rng, dtype=torch.float64)
    wanted = torch.zeros(len(lists), 3, dtype=torch.float64)
    pair = 0
    for owner, each in enumerate(lists):
        for item in each:
            wanted[owner] += weights[pair] * rows[bags.items.tolist().index(item)]
            pair += 1
    torch.testing.assert_close(bags.sum(rows, weights), wanted)


def test_gradients_by_differences() -> None:
    bags = Bags.of(histories([[4, 1, 4], [], [1], [7, 4]]))
    rng = torch.Generator().manual_seed(0)
    rows = torch.randn(3, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(6, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(bags.sum, (rows, weights))
    assert torch.autograd.gradcheck(bags.sum, (rows, weights.detach()))

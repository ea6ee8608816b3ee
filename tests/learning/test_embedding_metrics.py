"""Figures of a space against their definitions in loops."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.learning.training import embedding_metrics


def random(rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(0, 999), st.integers(2, 6), st.integers(1, 3))
def test_hubness_is_the_skewness_of_how_often_an_item_is_near(seed: int, users: int, k: int) -> None:
    scores = random(users, 7, seed)
    counts = [0] * 7
    for row in scores.tolist():
        for item in sorted(range(7), key=row.__getitem__)[-k:]:
            counts[item] += 1
    mean, deviation = statistics.fmean(counts), statistics.pstdev(counts)
    wanted = sum((count - mean) ** 3 for count in counts) / 7 / deviation**3
    assert embedding_metrics.hubness(scores, k) == pytest.approx(wanted)


def test_hubs_are_seen() -> None:
    """An item near the centre of all users is a hub; without a centre there is none."""
    users, items = random(300, 20, 0), random(500, 20, 1)
    even = embedding_metrics.hubness(users @ items.T)
    users[:, 0] += 3
    items[:20, 0] += 3
    assert embedding_metrics.hubness(users @ items.T) > even + 1


def test_fewer_items_than_a_list_is_long() -> None:
    assert embedding_metrics.hubness(torch.zeros(3, 4)) == 0


@given(st.integers(0, 999))
def test_alignment_in_loops(seed: int) -> None:
    users, positives = random(5, 3, seed), random(5, 3, seed + 1)
    total = 0.0
    for user, positive in zip(users.tolist(), positives.tolist(), strict=True):
        a, b = ([x / math.hypot(*row) for x in row] for row in (user, positive))
        total += math.dist(a, b) ** 2
    assert embedding_metrics.alignment(users, positives) == pytest.approx(total / 5)


@given(st.integers(0, 999))
def test_norm_popularity_is_a_correlation_coefficient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths, popularity = rng.random(20), rng.integers(1, 100, 20)
    wanted = np.corrcoef(lengths, np.log(popularity))[0, 1]
    found = embedding_metrics.norm_popularity(torch.from_numpy(lengths), torch.from_numpy(popularity))
    assert found == pytest.approx(wanted)


def test_what_does_not_vary_does_not_correlate() -> None:
    assert embedding_metrics.norm_popularity(torch.ones(4), torch.tensor([1, 2, 3, 4])) == 0
    assert embedding_metrics.norm_popularity(torch.rand(4), torch.full((4,), 7)) == 0
    assert embedding_metrics.norm_popularity(torch.ones(1), torch.ones(1)) == 0


def test_effective_rank_is_the_number_of_directions() -> None:
    assert embedding_metrics.effective_rank(torch.eye(5).repeat(3, 1) * 7) == pytest.approx(5)
    assert embedding_metrics.effective_rank(torch.randn(4000, 8)) > 7.9


@given(st.integers(0, 300), st.integers(1, 50))
def test_a_thinned_range_is_even(count: int, most: int) -> None:
    codes = embedding_metrics.thin(count, most, torch.device("cpu")).tolist()
    assert len(codes) == min(count, most)
    assert codes == sorted(set(codes))
    assert all(0 <= code < count for code in codes)
    gaps = {b - a for a, b in pairwise(codes)}
    assert not gaps or max(gaps) - min(gaps) <= 1

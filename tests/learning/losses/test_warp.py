import math
from dataclasses import replace

import pytest
import torch

from recsys.learning.losses.warp import WARP
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


def test_the_paper_in_loops_over_a_whole_catalogue() -> None:
    """Equation 5: the sum over violators of L(rank) (1 - pos + neg) / rank, the rank being exact."""

    def weston(pos: float, negatives: list[float]) -> float:
        violators = [neg for neg in negatives if 1 + neg > pos]
        rank = len(violators)
        weight = sum(1 / k for k in range(1, rank + 1))
        return sum(weight * abs(1 - pos + neg) / rank for neg in violators)

    pairs = replace(scene(seed=15).pairs("dot"), log_q=None)
    ours = mean(WARP(1.0)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, weston), abs=1e-10)


def test_sampling_one_violator_at_a_time_has_this_mean() -> None:
    """The algorithm of the source, played out: the violator it stops at is any of them, uniformly."""
    rng = torch.Generator().manual_seed(0)
    negatives, total, plays = [0.9, 0.1, -3.0, 0.4], 0.0, 20_000
    for _ in range(plays):
        order = torch.randperm(4, generator=rng).tolist()
        total += next(1 - 0.5 + negatives[each] for each in order if 1 - 0.5 + negatives[each] > 0)
    pairs = Pairs(torch.tensor([0.5]), torch.tensor([negatives]), torch.ones(1, 4, dtype=torch.bool))
    weight = 1 + 1 / 2 + 1 / 3
    assert WARP(1.0)(pairs).values.item() == pytest.approx(weight * total / plays, rel=0.02)


@pytest.mark.parametrize("items", [10, 1000])
def test_the_rank_is_that_of_the_catalogue(items: int) -> None:
    """One violator in two candidates of I items represents I / 2 of them."""
    pairs = Pairs(
        torch.tensor([0.5]).double(),
        torch.tensor([[0.5, -9.0]]).double(),
        torch.ones(1, 2, dtype=torch.bool),
        torch.full((2,), -math.log(items)).double(),
    )
    expected = sum(1 / k for k in range(1, items // 2 + 1))
    assert WARP(1.0)(pairs).values.item() == pytest.approx(expected)


def test_an_invalid_margin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is -1.0; it must be positive"):
        WARP(-1.0)

import math

import pytest
import torch

from recsys.learning.miners.hardest import Hardest
from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs
from tests import oracles
from tests.learning.scenes import scene


def test_one_per_row_and_none_scores_higher() -> None:
    pairs = scene(rows=30, candidates=6, used=0.3, seed=1).pairs()
    mask = Hardest(pool=None)(pairs, Moment(0.0, torch.Generator()))
    for row, _, negatives in oracles.used(pairs):
        chosen = pairs.neg[row][mask[row]].tolist()
        assert chosen == ([max(negatives)] if negatives else [])


def test_ranks_are_as_frequent_as_counting_says() -> None:
    """Of all pools of p out of n, those whose highest is the one of rank r: p - 1 of the n - r below it."""
    rows, n, p = 30_000, 6, 3
    pairs = Pairs(torch.zeros(rows), -torch.arange(n).float().expand(rows, n), torch.ones(rows, n).bool())
    mask = Hardest(pool=p)(pairs, Moment(0.0, torch.Generator().manual_seed(0)))
    expected = [math.comb(n - rank, p - 1) / math.comb(n, p) for rank in range(1, n + 1)]
    assert mask.double().mean(0).tolist() == pytest.approx(expected, abs=0.01)


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pool is 0; it must be at least 1, or none"):
        Hardest(pool=0)

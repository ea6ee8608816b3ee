import pytest
import torch

from recsys.learning.miners.hardest import Hardest
from recsys.learning.miners.hardest_k import HardestK
from recsys.learning.miners.miner import Moment
from tests import oracles
from tests.learning.scenes import scene

NOW = Moment(0.0, torch.Generator())


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_the_k_highest_by_sorting(k: int) -> None:
    pairs = scene(rows=30, candidates=6, used=0.5, seed=4).pairs()
    mask = HardestK(k)(pairs, NOW)
    for row, _, negatives in oracles.used(pairs):
        assert sorted(pairs.neg[row][mask[row]].tolist()) == sorted(sorted(negatives, reverse=True)[:k])


def test_one_is_the_hardest() -> None:
    pairs = scene(rows=30, candidates=6, used=0.5, seed=5).pairs()
    assert torch.equal(HardestK(1)(pairs, NOW), Hardest()(pairs, NOW))


def test_of_a_pool_it_takes_one_in_so_many() -> None:
    pairs = scene(rows=30, candidates=40, used=1.0, seed=6).pairs()
    drawn = HardestK(k=3, pool=4)(pairs, NOW)
    assert (drawn.sum(1) == 3).all()
    assert not torch.equal(drawn, HardestK(k=3, pool=None)(pairs, NOW))


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pool is 0; it must be at least 1, or none"):
        HardestK(pool=0)


def test_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"k is 0; it must be at least 1"):
        HardestK(0)

import pytest
import torch

from recsys.learning.miners.guard import Guard
from recsys.learning.miners.miner import Moment
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.99])
def test_the_highest_share_is_left_out(share: float) -> None:
    pairs = scene(rows=30, candidates=10, used=0.7, seed=9).pairs()
    mask = Guard(share)(pairs, Moment(0.0, torch.Generator()))
    for row, _, negatives in oracles.used(pairs):
        left_out = int(len(negatives) * share)
        kept = sorted(negatives, reverse=True)[left_out:]
        assert sorted(pairs.neg[row][mask[row]].tolist(), reverse=True) == kept


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_invalid_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"share is .*; it must be in \[0, 1\)"):
        Guard(share)

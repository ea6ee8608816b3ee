import torch

from recsys.learning.miners.hardest import Hardest
from recsys.learning.miners.miner import Moment
from tests import oracles
from tests.learning.scenes import scene


def test_one_a_row_and_none_scores_higher() -> None:
    pairs = scene(rows=30, candidates=6, used=0.3, seed=1).pairs()
    mask = Hardest()(pairs, Moment(0.0, torch.Generator()))
    for row, _, negatives in oracles.used(pairs):
        chosen = pairs.neg[row][mask[row]].tolist()
        assert chosen == ([max(negatives)] if negatives else [])

import pytest
import torch
from pytorch_metric_learning import miners as theirs

from recsys.learning.miners.miner import Moment
from recsys.learning.miners.relative import Relative
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    pairs = scene(rows=20, candidates=6, seed=7).pairs()
    mask = Relative(0.2)(pairs, Moment(0.0, torch.Generator()))
    for row in range(20):
        for column in range(6):
            expected = pairs.neg[row, column].item() > pairs.pos[row].item() - 0.2
            assert bool(mask[row, column]) == (expected and bool(pairs.mask[row, column]))


def test_pytorch_metric_learning() -> None:
    here = scene(rows=6, candidates=5, used=1.0, seed=8)
    mine = theirs.MultiSimilarityMiner(epsilon=0.2, distance=second_oracle.distance("cosine"))
    ours = Relative(0.2)(here.pairs(), Moment(0.0, torch.Generator()))
    for row in range(6):
        others = torch.cat([here.positives[row : row + 1], here.candidates])
        labels = torch.tensor([0, *range(1, 6)])
        _, _, _, negatives = mine(here.users[row : row + 1], torch.tensor([0]), others, labels)
        assert sorted((negatives - 1).tolist()) == ours[row].nonzero()[:, 0].tolist()


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is -0.1; it must not be negative"):
        Relative(-0.1)

import pytest
import torch
from pytorch_metric_learning import miners as theirs

from recsys.learning.miners.miner import Moment
from recsys.learning.miners.semihard import Semihard
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    pairs = scene(rows=30, candidates=6, seed=2).pairs()
    mask = Semihard(0.4)(pairs, Moment(0.0, torch.Generator()))
    assert mask.any()
    for row in range(30):
        for column in range(6):
            pos, neg = pairs.pos[row].item(), pairs.neg[row, column].item()
            expected = bool(pairs.mask[row, column]) and pos - 0.4 < neg < pos
            assert bool(mask[row, column]) == expected


def test_pytorch_metric_learning() -> None:
    """Theirs mines among labels: the users, and the positives with them, are classes of their own."""
    here = scene(rows=6, candidates=6, used=1.0, seed=3)
    mine = theirs.TripletMarginMiner(
        margin=0.4, type_of_triplets="semihard", distance=second_oracle.distance("cosine")
    )
    labels = torch.tensor([*range(6), *range(6), *range(6, 12)])
    anchor, positive, negative = mine(here.points(), labels)
    ours = Semihard(0.4)(here.pairs(), Moment(0.0, torch.Generator()))
    found = {
        (a.item(), n.item() - 12)
        for a, p, n in zip(anchor, positive, negative, strict=True)
        if a < 6 and p == a + 6 and n >= 12
    }
    assert found == {(row.item(), column.item()) for row, column in ours.nonzero()}


def test_an_invalid_margin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is 0.0; it must be positive"):
        Semihard(0.0)

import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.distances.dot import Dot
from recsys.learning.losses.n_pair import NPair
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    def sohn(pos: float, negatives: list[float]) -> float:
        return math.log(1 + sum(math.exp(neg - pos) for neg in negatives))

    pairs = scene(seed=20).pairs("dot")
    ours = mean(NPair()(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, sohn), abs=1e-12)


def test_pytorch_metric_learning() -> None:
    """Theirs takes the positives of the other rows as negatives: our sampler in_batch."""
    here = scene(seed=21)
    scores = Dot().matrix(here.users, here.positives)
    pairs = Pairs(scores.diagonal(), scores, ~torch.eye(6, dtype=torch.bool))
    loss = theirs.NPairsLoss(distance=second_oracle.distance("dot"), reducer=second_oracle.mean())
    labels = torch.tensor([*range(6), *range(6)])
    value = loss(torch.cat([here.users, here.positives]), labels).item()
    assert mean(NPair()(pairs)).value().item() == pytest.approx(value, abs=1e-6)

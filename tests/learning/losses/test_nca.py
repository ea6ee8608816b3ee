import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.nca import NCA
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import Scene, scene


@pytest.mark.parametrize("log", [True, False])
def test_the_paper_in_loops(log: bool) -> None:
    def goldberger(pos: float, negatives: list[float]) -> float:
        p = math.exp(pos) / (math.exp(pos) + sum(math.exp(neg) for neg in negatives))
        return -math.log(p) if log else 1 - p

    pairs = scene(seed=28).pairs("squared_euclidean")
    ours = mean(NCA(1.0, log=log)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, goldberger), abs=1e-12)


def test_pytorch_metric_learning() -> None:
    """Theirs takes everything else for neighbours: a row at a time, with its own candidates."""
    here = scene(seed=29, used=1.0)
    loss = theirs.NCALoss(
        softmax_scale=2.0,
        distance=second_oracle.distance("squared_euclidean"),
        reducer=second_oracle.mean(),
    )
    ours = NCA(2.0)(here.pairs("squared_euclidean")).values
    for row in range(6):
        assert ours[row].item() == pytest.approx(alone(loss, here, row), abs=1e-6)


def alone(loss: theirs.NCALoss, here: Scene, row: int) -> float:
    others = torch.cat([here.positives[row : row + 1], here.candidates])
    labels = torch.tensor([0, *range(1, 6)])
    # Theirs ignores a single query, so it is given twice.
    queries, own = here.users[[row, row]], torch.tensor([0, 0])
    return float(loss(queries, own, ref_emb=others, ref_labels=labels))


def test_an_invalid_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"scale is 0.0; it must be positive"):
        NCA(0.0)

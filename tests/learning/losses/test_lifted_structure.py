import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.lifted_structure import LiftedStructure
from recsys.learning.reducers import mean
from tests.learning import second_oracle
from tests.learning.scenes import scene


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_the_paper_in_loops(margin: float) -> None:
    pairs = scene(seed=22).pairs("euclidean")
    assert pairs.cross is not None
    values = []
    for row in range(6):
        used = [column for column in range(5) if bool(pairs.mask[row, column])]
        inner = sum(math.exp(margin - -pairs.neg[row, k].item()) for k in used)
        inner += sum(math.exp(margin - -pairs.cross[row, k].item()) for k in used)
        values.append(max(0.0, math.log(inner) + -pairs.pos[row].item()) ** 2)
    ours = mean(LiftedStructure(margin)(pairs)).value().item()
    assert ours == pytest.approx(sum(values) / (2 * len(values)), abs=1e-10)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_pytorch_metric_learning(distance: str) -> None:
    here = scene(seed=23)
    # Theirs turns the sign of the margin with that of the score.
    margin = -0.7 if distance == "cosine" else 0.7
    loss = theirs.LiftedStructureLoss(
        neg_margin=margin, distance=second_oracle.distance(distance), reducer=second_oracle.mean()
    )
    rows, (anchor, positive, negative) = torch.arange(6), here.triplets()
    pairs = (rows, rows + 6, torch.cat([anchor, positive]), torch.cat([negative, negative]))
    value = loss(here.points(), torch.arange(len(here.points())), indices_tuple=pairs).item()
    ours = mean(LiftedStructure(0.7)(here.pairs(distance))).value().item()
    assert ours == pytest.approx(value, abs=1e-6)


def test_an_invalid_margin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is 0.0; it must be positive"):
        LiftedStructure(0.0)

import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.angular import Angular
from recsys.learning.reducers import mean
from tests.learning import second_oracle
from tests.learning.scenes import scene


@pytest.mark.parametrize("degrees", [36.0, 55.0])
def test_the_paper_in_loops_over_unit_vectors(degrees: float) -> None:
    here = scene(seed=30)
    users, positives, candidates = (
        [[x / math.hypot(*row) for x in row] for row in part.tolist()]
        for part in (here.users, here.positives, here.candidates)
    )
    slope, values = math.tan(math.radians(degrees)) ** 2, []
    for row in range(6):
        a, p, inner = users[row], positives[row], 0.0
        for column in range(5):
            if bool(here.mask[row, column]):
                n = candidates[column]
                product = sum((x + y) * z for x, y, z in zip(a, p, n, strict=True))
                own = sum(x * y for x, y in zip(a, p, strict=True))
                inner += math.exp(4 * slope * product - 2 * (1 + slope) * own)
        values.append(math.log(1 + inner))
    ours = mean(Angular(degrees)(here.pairs())).value().item()
    assert ours == pytest.approx(sum(values) / len(values), abs=1e-10)


def test_pytorch_metric_learning() -> None:
    """Theirs takes every other label for a negative: a row at a time, with its own candidates."""
    here = scene(seed=31, used=1.0)
    loss = theirs.AngularLoss(alpha=40, reducer=second_oracle.mean())
    ours = Angular(40.0)(here.pairs()).values
    for row in range(6):
        # Theirs leaves the negatives' lengths as they are.
        negatives = torch.nn.functional.normalize(here.candidates)
        others = torch.cat([here.positives[row : row + 1], negatives])
        value = loss(
            here.users[row : row + 1],
            torch.tensor([0]),
            ref_emb=others,
            ref_labels=torch.tensor([0, *range(1, 6)]),
        )
        assert ours[row].item() == pytest.approx(value.item(), abs=1e-6)


@pytest.mark.parametrize("degrees", [0.0, 90.0])
def test_an_invalid_angle_is_refused(degrees: float) -> None:
    with pytest.raises(ValueError, match=r"degrees is .*; it must be in \(0, 90\)"):
        Angular(degrees)

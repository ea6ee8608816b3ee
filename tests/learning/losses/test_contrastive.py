import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.contrastive import Contrastive
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


@pytest.mark.parametrize("margin", [0.5, 2.0, 4.0])
def test_the_paper_in_loops(margin: float) -> None:
    pairs = scene(seed=5).pairs("euclidean")
    loss = Contrastive(positive=0.0, negative=-margin, weight=1.0)
    expected = oracles.over_rows(pairs, lambda pos, negatives: oracles.hadsell(pos, negatives, margin))
    assert mean(loss(pairs)).value().item() == pytest.approx(expected, abs=1e-12)


def test_pytorch_metric_learning() -> None:
    """Theirs averages positive and negative pairs apart: with every candidate used that is a row's mean."""
    here = scene(seed=6, used=1.0)
    loss = theirs.ContrastiveLoss(
        pos_margin=0.8,
        neg_margin=0.1,
        distance=second_oracle.distance("cosine"),
        reducer=second_oracle.mean(),
    )
    ours = mean(Contrastive(0.8, 0.1, weight=1.0, squared=False)(here.pairs())).value().item()
    assert ours == pytest.approx(second_oracle.on_pairs(loss, here), abs=1e-6)


def test_the_weight_is_that_of_the_negatives() -> None:
    pairs = scene(seed=7, used=1.0).pairs()
    one, three = (mean(Contrastive(weight=weight, squared=False)(pairs)).value() for weight in (1.0, 3.0))
    positives = one - (three - one) / 2
    torch.testing.assert_close(positives, torch.relu(1 - pairs.pos).mean())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"positive": 0.1, "negative": 0.1}, r"negative is 0.1; it must be below positive, 0.1"),
        ({"weight": 0.0}, r"weight is 0.0; it must be positive"),
    ],
)
def test_invalid_values_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Contrastive(**options)  # type: ignore[arg-type]

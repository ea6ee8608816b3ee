import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.triplet import Triplet
from recsys.learning.reducers import active, mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


@pytest.mark.parametrize("distance", ["dot", "cosine", "squared_euclidean"])
@pytest.mark.parametrize("margin", [0.05, 1.0])
def test_the_paper_in_loops(distance: str, margin: float) -> None:
    pairs = scene(seed=2).pairs(distance)
    expected = oracles.over_pairs(pairs, lambda pos, neg: oracles.triplet(pos, neg, margin))
    assert mean(Triplet(margin)(pairs)).value().item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("distance", ["cosine", "euclidean", "squared_euclidean"])
def test_pytorch_metric_learning(distance: str) -> None:
    here = scene(seed=3)
    loss = theirs.TripletMarginLoss(
        margin=0.3, distance=second_oracle.distance(distance), reducer=second_oracle.mean()
    )
    ours = mean(Triplet(0.3)(here.pairs(distance))).value().item()
    assert ours == pytest.approx(second_oracle.on_triplets(loss, here), abs=1e-6)


def test_pytorch_metric_learning_over_the_active_ones() -> None:
    here = scene(seed=4)
    loss = theirs.TripletMarginLoss(margin=0.3, distance=second_oracle.distance("cosine"))
    ours = active(Triplet(0.3)(here.pairs())).value().item()
    assert ours == pytest.approx(second_oracle.on_triplets(loss, here), abs=1e-6)


@pytest.mark.parametrize(("soft", "swap"), [(True, False), (False, True), (True, True)])
def test_soft_margin_and_swap_of_pytorch_metric_learning(soft: bool, swap: bool) -> None:
    here = scene(seed=17)
    loss = theirs.TripletMarginLoss(
        margin=0.3,
        swap=swap,
        smooth_loss=soft,
        distance=second_oracle.distance("cosine"),
        reducer=second_oracle.mean(),
    )
    ours = mean(Triplet(0.3, soft=soft, swap=swap)(here.pairs())).value().item()
    assert ours == pytest.approx(second_oracle.on_triplets(loss, here), abs=1e-6)


def test_soft_margin_of_the_paper() -> None:
    """Hermans et al. 2017: ln(1 + exp(d_ap - d_an))."""
    pairs = scene(seed=18).pairs("euclidean")
    expected = oracles.over_pairs(pairs, lambda pos, neg: math.log(1 + math.exp(-pos - -neg)))
    assert mean(Triplet(0.0, soft=True)(pairs)).value().item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_an_invalid_margin_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match=r"margin is .*; it must be positive"):
        Triplet(margin)


def test_solved_triplets_cost_nothing() -> None:
    pairs = scene().pairs()
    solved = Triplet(0.1)(pairs).values[pairs.pos[:, None] - pairs.neg >= 0.1]
    assert torch.equal(solved, torch.zeros_like(solved))

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.margin import Margin
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    """Equation 6: (alpha + y (D - beta))+, with D = -score, beta = 2, alpha = 0.3."""
    pairs = scene(seed=41).pairs("euclidean")
    loss = Margin(0.3, -2.0).double()
    expected = oracles.over_pairs(
        pairs, lambda pos, neg: max(0.0, 0.3 + (-pos - 2.0)) + max(0.0, 0.3 - (-neg - 2.0))
    )
    assert mean(loss(pairs)).value().item() == pytest.approx(expected, abs=1e-6)


def test_pytorch_metric_learning() -> None:
    here = scene(seed=42)
    loss = theirs.MarginLoss(
        margin=0.3, beta=1.5, distance=second_oracle.distance("euclidean"), reducer=second_oracle.mean()
    )
    ours = mean(Margin(0.3, -1.5).double()(here.pairs("euclidean"))).value().item()
    assert ours == pytest.approx(second_oracle.on_triplets(loss, here), abs=1e-6)


def test_the_boundary_is_learned_between_the_two_kinds() -> None:
    """It goes where as many positives as negatives are wrong."""
    pairs = scene(seed=43, rows=8).pairs()
    loss = Margin(start=-0.9).double()
    (boundary,) = loss.parameters()
    optimiser = torch.optim.SGD([boundary], lr=0.05)
    start = mean(loss(pairs)).value().item()
    for _ in range(300):
        optimiser.zero_grad()
        mean(loss(pairs)).value().backward()
        optimiser.step()
    assert mean(loss(pairs)).value().item() < start
    assert boundary.item() > -0.5


def test_a_boundary_that_is_not_learned_stays() -> None:
    assert not any(parameter.requires_grad for parameter in Margin(learned=False).parameters())


def test_a_margin_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"margin is 0.0; it must be positive"):
        Margin(0.0)

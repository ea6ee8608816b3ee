import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.margin import Margin
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


def at(pairs: Pairs, boundary: float) -> Pairs:
    """Pairs with one boundary for all rows."""
    return oracles.learning(pairs, boundary=boundary)


def test_the_paper_in_loops() -> None:
    """Equation 6: (alpha + y (D - beta))+, with D = -score, beta = 2, alpha = 0.3."""
    pairs = at(scene(seed=41).pairs("euclidean"), -2.0)
    expected = oracles.over_pairs(
        pairs, lambda pos, neg: max(0.0, 0.3 + (-pos - 2.0)) + max(0.0, 0.3 - (-neg - 2.0))
    )
    assert mean(Margin(0.3)(pairs)).value().item() == pytest.approx(expected, abs=1e-6)


def test_pytorch_metric_learning() -> None:
    here = scene(seed=42)
    loss = theirs.MarginLoss(
        margin=0.3, beta=1.5, distance=second_oracle.distance("euclidean"), reducer=second_oracle.mean()
    )
    ours = mean(Margin(0.3)(at(here.pairs("euclidean"), -1.5))).value().item()
    assert ours == pytest.approx(second_oracle.on_triplets(loss, here), abs=1e-6)


def test_a_row_has_its_own_boundary() -> None:
    scores = torch.tensor([0.5, 0.5]), torch.tensor([[0.4], [0.4]]), torch.ones(2, 1).bool()
    pairs = Pairs(*scores, learned={"boundary": torch.tensor([0.5, 0.9])})
    torch.testing.assert_close(Margin(margin=0.2)(pairs).values, torch.tensor([[0.3], [0.6]]))


def test_a_boundary_that_was_not_given() -> None:
    with pytest.raises(ValueError, match="pairs hold no boundary"):
        Margin()(scene(seed=41).pairs())


def test_invalid_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is 0.0; it must be positive"):
        Margin(0.0)
    with pytest.raises(ValueError, match="boundaries is 'each'; it can be one, users, items"):
        Margin(boundaries="each")  # type: ignore[arg-type]

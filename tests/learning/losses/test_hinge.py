import pytest

from recsys.learning.losses.hinge import Hinge
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize(("squared", "power"), [(False, 1), (True, 2)])
def test_the_paper_in_loops(squared: bool, power: int) -> None:
    pairs = scene(seed=16).pairs("dot")
    expected = oracles.over_pairs(pairs, lambda pos, neg: max(0.0, 1 - (pos - neg)) ** power)
    assert mean(Hinge(squared)(pairs)).value().item() == pytest.approx(expected, abs=1e-12)

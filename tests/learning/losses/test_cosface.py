import math

import pytest
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.cosface import CosFace
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    def wang(pos: float, negatives: list[float], s: float = 10.0, m: float = 0.35) -> float:
        own = math.exp(s * (pos - m))
        return -math.log(own / (own + sum(math.exp(s * neg) for neg in negatives)))

    pairs = scene(seed=32).pairs()
    ours = mean(CosFace(0.35, 10.0)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, wang), abs=1e-10)


def test_pytorch_metric_learning() -> None:
    """Theirs owns the class vectors: the positive of the row and the candidates, a row at a time."""
    here = scene(seed=33, used=1.0)
    ours = CosFace(0.35, 8.0)(here.pairs()).values
    for row in range(6):
        loss = theirs.CosFaceLoss(6, 4, margin=0.35, scale=8.0, reducer=second_oracle.mean())
        assert ours[row].item() == pytest.approx(second_oracle.on_classes(loss, here, row), abs=1e-6)


@pytest.mark.parametrize("options", [{"margin": -0.1}, {"scale": 0.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"it must be"):
        CosFace(**options)

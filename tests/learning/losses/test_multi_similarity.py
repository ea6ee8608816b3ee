import math

import pytest
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.multi_similarity import MultiSimilarity
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    def wang(pos: float, negatives: list[float]) -> float:
        near = math.log(1 + math.exp(-2 * (pos - 0.4))) / 2
        return near + math.log(1 + sum(math.exp(20 * (neg - 0.4)) for neg in negatives)) / 20

    pairs = scene(seed=24).pairs()
    ours = mean(MultiSimilarity(2.0, 20.0, 0.4)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, wang), abs=1e-12)


def test_pytorch_metric_learning() -> None:
    here = scene(seed=25, used=0.9)
    loss = theirs.MultiSimilarityLoss(
        alpha=2, beta=50, base=0.5, distance=second_oracle.distance("cosine"), reducer=second_oracle.mean()
    )
    ours = mean(MultiSimilarity(2.0, 50.0)(here.pairs())).value().item()
    assert ours == pytest.approx(second_oracle.on_pairs(loss, here), abs=1e-6)


@pytest.mark.parametrize("options", [{"alpha": 0.0}, {"beta": -1.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"it must be positive"):
        MultiSimilarity(**options)

import math
from dataclasses import replace

import pytest
import torch

from recsys.learning.losses.cml import CML
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize("hardest", [True, False])
@pytest.mark.parametrize("items", [6, 1000])
def test_the_paper_in_loops(hardest: bool, items: int) -> None:
    """Candidates drawn uniformly from J items: rank = J M / U, with M of U candidates inside the margin."""

    def hsieh(pos: float, negatives: list[float]) -> float:
        hinges = [max(0.0, 2.0 + -pos - -neg) for neg in negatives]
        imposters = sum(hinge > 0 for hinge in hinges)
        rank = items * imposters / len(negatives)
        pooled = max(hinges) if hardest else sum(hinges) / len(hinges)
        return math.log(rank + 1) * pooled

    log_q = torch.full((5,), -math.log(items), dtype=torch.float64)
    pairs = replace(scene(seed=14).pairs("squared_euclidean"), log_q=log_q)
    ours = mean(CML(2.0, hardest)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, hsieh), abs=1e-10)


def test_an_invalid_margin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is 0.0; it must be positive"):
        CML(0.0)

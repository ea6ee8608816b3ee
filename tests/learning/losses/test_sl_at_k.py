import math

import pytest

from recsys.learning.losses.sl_at_k import SLAtK
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning.scenes import scene


@pytest.mark.parametrize("k", [1, 3, 20])
def test_the_definition_in_loops(k: int) -> None:
    def yang(pos: float, negatives: list[float]) -> float:
        best = sorted([pos, *negatives], reverse=True)
        weight = 1 / (1 + math.exp(-(pos - best[k - 1]) / 0.5)) if len(best) >= k else 1.0
        return weight * math.log(sum(math.exp((neg - pos) / 0.2) for neg in negatives))

    pairs = scene(seed=39).pairs()
    ours = mean(SLAtK(k, 0.2, 0.5)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, yang), abs=1e-10)


@pytest.mark.parametrize("options", [{"k": 0}, {"temperature": 0.0}, {"weight_temperature": -1.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must be"):
        SLAtK(**options)  # type: ignore[arg-type]

import math
from dataclasses import replace

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.arcface import ArcFace
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


@pytest.mark.parametrize("margin", [0.2, 1.5])
def test_the_paper_in_loops(margin: float) -> None:
    def deng(pos: float, negatives: list[float], s: float = 10.0) -> float:
        angle = math.acos(pos)
        turned = math.cos(angle + margin)
        own = math.exp(s * (turned if angle + margin <= math.pi else pos - margin * math.sin(margin)))
        return -math.log(own / (own + sum(math.exp(s * neg) for neg in negatives)))

    pairs = scene(seed=34, rows=20).pairs()
    assert (torch.acos(pairs.pos) + 1.5 > math.pi).any()
    ours = mean(ArcFace(margin, 10.0)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, deng), abs=1e-10)


def test_pytorch_metric_learning() -> None:
    here = scene(seed=35, used=1.0)
    ours = ArcFace(math.radians(28.6), 8.0)(here.pairs()).values
    for row in range(6):
        loss = theirs.ArcFaceLoss(6, 4, margin=28.6, scale=8.0, reducer=second_oracle.mean())
        assert ours[row].item() == pytest.approx(second_oracle.on_classes(loss, here, row), abs=1e-6)


def test_the_gradient_is_finite_where_the_angle_is_zero() -> None:
    pairs = scene(seed=36).pairs()
    pos = torch.ones(6, dtype=torch.float64, requires_grad=True)
    ArcFace()(replace(pairs, pos=pos)).values.sum().backward()
    assert pos.grad is not None
    assert pos.grad.isfinite().all()


@pytest.mark.parametrize("options", [{"margin": -0.1}, {"margin": 2.0}, {"scale": 0.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"it must be"):
        ArcFace(**options)

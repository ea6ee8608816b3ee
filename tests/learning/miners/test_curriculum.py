from itertools import pairwise

import pytest
import torch

from recsys.learning.miners.curriculum import Curriculum
from recsys.learning.miners.miner import Moment
from recsys.learning.miners.semihard import Semihard
from tests.learning.scenes import scene

PAIRS = scene(rows=30, candidates=8, seed=6).pairs()


def at(progress: float) -> torch.Tensor:
    return Curriculum(0.4, begin=0.2, end=0.8)(PAIRS, Moment(progress, torch.Generator()))


def test_it_starts_semihard() -> None:
    assert torch.equal(at(0.1), Semihard(0.4)(PAIRS, Moment(0.0, torch.Generator())))


def test_it_ends_with_every_violator_of_the_margin() -> None:
    assert torch.equal(at(0.8), PAIRS.mask & (PAIRS.neg > PAIRS.pos[:, None] - 0.4))
    assert torch.equal(at(1.0), at(0.8))


def test_what_is_used_only_grows() -> None:
    masks = [at(progress) for progress in (0.0, 0.3, 0.4, 0.5, 0.7, 1.0)]
    for earlier, later in pairwise(masks):
        assert not (earlier & ~later).any()
    sizes = [int(mask.sum()) for mask in masks]
    assert sizes[0] < sizes[2] < sizes[-1]


def test_half_way_the_bound_is_a_margin_above_the_positive() -> None:
    gap = PAIRS.neg - PAIRS.pos[:, None]
    assert torch.equal(at(0.5), PAIRS.mask & (gap > -0.4) & (gap < 0.4))


@pytest.mark.parametrize("options", [{"margin": 0.0}, {"begin": -0.1}, {"end": 0.1}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must be"):
        Curriculum(**options)

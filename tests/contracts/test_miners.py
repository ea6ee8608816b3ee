"""What every miner must hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import plugins
from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs
from tests.learning.scenes import Scene, scene, scenes

every = pytest.mark.parametrize("name", plugins.names("miners"))
some = settings(max_examples=30, deadline=None)


def mined(name: str, pairs: Pairs, progress: float = 0.5, seed: int = 0) -> torch.Tensor:
    return plugins.make("miners", name)(pairs, Moment(progress, torch.Generator().manual_seed(seed)))


@every
@some
@given(scenes(), st.sampled_from([0.0, 0.4, 1.0]))
def test_the_mask_lies_inside_the_mask(name: str, scene: Scene, progress: float) -> None:
    mask = mined(name, scene.pairs(), progress)
    assert mask.dtype == torch.bool
    assert mask.shape == scene.mask.shape
    assert not (mask & ~scene.mask).any()


@every
def test_empty_in_empty_out(name: str) -> None:
    assert not mined(name, scene(used=0.0).pairs()).any()


@every
@some
@given(scenes())
def test_masked_candidates_have_no_effect(name: str, scene: Scene) -> None:
    pairs = scene.pairs()
    other = replace(pairs, neg=torch.where(pairs.mask, pairs.neg, 0.99))
    assert torch.equal(mined(name, other), mined(name, pairs))


@every
def test_the_same_moment_gives_the_same_mask(name: str) -> None:
    pairs = scene(rows=8, candidates=20).pairs()
    assert torch.equal(mined(name, pairs, seed=3), mined(name, pairs, seed=3))


@every
@pytest.mark.parametrize("high", [1e4, -1e4])
def test_extreme_scores_and_half_precision_work(name: str, high: float) -> None:
    pairs = scene(rows=3, candidates=4, used=1.0).pairs()
    pairs = replace(pairs, pos=(pairs.pos * high).bfloat16(), neg=(pairs.neg * high).bfloat16())
    assert mined(name, pairs).shape == pairs.mask.shape


@every
def test_no_gradient_flows_through_the_choice(name: str) -> None:
    pairs = scene(rows=3, candidates=4).pairs()
    leaf = replace(pairs, pos=pairs.pos.requires_grad_(), neg=pairs.neg.requires_grad_())
    assert not mined(name, leaf).requires_grad

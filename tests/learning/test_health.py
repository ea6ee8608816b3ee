"""A run that has gone wrong stops and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from recsys.errors import RecsysError
from recsys.learning.training import health
from recsys.models.two_tower import TwoTower
from tests import factories


def test_a_loss_that_is_not_finite_stops_the_run() -> None:
    with pytest.raises(RecsysError, match=r"the loss of epoch 3 is nan: .*; lower rate"):
        health.check_loss(float("nan"), 3)
    health.check_loss(1.0, 3)


def test_vectors_on_one_ray_stop_the_run() -> None:
    ray = torch.rand(50, 1) * torch.ones(50, 4) + 1e-4 * torch.randn(50, 4)
    with pytest.raises(RecsysError, match="the item vectors collapsed to one direction in epoch 2"):
        health.check_spread(ray, "item", 2)
    health.check_spread(torch.randn(50, 4), "item", 2)
    health.check_spread(torch.ones(1, 4), "item", 2)
    health.check_spread(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), "item", 2)


def test_a_rate_out_of_all_bounds_is_caught_in_training() -> None:
    model = TwoTower(loss="bpr", distance="dot", rate=1e25, epochs=3, batch=64, dim=4, precision="fp32")
    with pytest.raises(RecsysError, match="lower rate"):
        model.fit(factories.interactions())


def test_a_collapse_is_caught_within_an_epoch() -> None:
    """Positives alone, with nothing that pushes apart: all points meet."""
    pulled = {"name": "contrastive", "positive": 1.0, "negative": 0.9999, "weight": 1e-6, "squared": False}
    model = TwoTower(loss=pulled, epochs=40, batch=64, dim=4, rate=0.5)
    with pytest.raises(RecsysError, match="collapsed to one direction"):
        model.fit(factories.interactions())
    replace(model, loss="triplet", rate=0.1, epochs=2).fit(factories.interactions())


def test_effective_rank_is_the_number_of_directions() -> None:
    assert health.effective_rank(torch.eye(5).repeat(3, 1) * 7) == pytest.approx(5)
    assert health.effective_rank(torch.randn(4000, 8)) > 7.9

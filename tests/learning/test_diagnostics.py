"""A run that has gone wrong stops and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.errors import RecsysError
from recsys.learning.training import diagnostics
from recsys.learning.training.loop import TrainingSetup, batches, run_epoch
from recsys.learning.training.pair_inputs import PairInputs
from recsys.models.two_tower import TwoTower
from tests import factories

TRAIN = factories.interactions()
MODEL = TwoTower(
    loss="triplet",
    tower="lookup",
    start="normal",
    hops=0,
    dim=4,
    batch=64,
    candidates=16,
    rate=0.1,
    precision="fp32",
    device="cpu",
)
NUDGE = 1e-12


def test_a_loss_that_is_not_finite_stops_the_run() -> None:
    with pytest.raises(RecsysError, match=r"the loss of epoch 3 is nan: .*; lower rate"):
        diagnostics.check_loss(float("nan"), 3)
    diagnostics.check_loss(1.0, 3)


def test_vectors_on_one_ray_stop_the_run() -> None:
    ray = (0.1 + torch.rand(50, 1)) * torch.ones(50, 4) + 0.01 * torch.randn(50, 4)
    with pytest.raises(RecsysError, match="the item vectors collapsed to one direction in epoch 2"):
        diagnostics.check_spread(ray, "item", 2)
    diagnostics.check_spread(torch.randn(50, 4), "item", 2)
    diagnostics.check_spread(torch.ones(1, 4), "item", 2)
    diagnostics.check_spread(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), "item", 2)


def test_vectors_that_are_not_finite_stop_the_run() -> None:
    with pytest.raises(RecsysError, match=r"item vectors of epoch 1 are not finite: .*; lower rate"):
        diagnostics.check_spread(torch.tensor([[1.0, 2.0], [float("nan"), 0.0]]), "item", 1)


def test_a_rate_out_of_all_bounds_is_caught_in_training() -> None:
    model = TwoTower(loss="bpr", distance="dot", rate=1e25, epochs=3, batch=64, dim=4, precision="fp32")
    with pytest.raises(RecsysError, match="lower rate"):
        model.fit(TRAIN)


def test_a_collapse_is_caught_within_an_epoch() -> None:
    """Positives alone, with nothing that pushes apart: all points meet."""
    pulled = {"name": "contrastive", "positive": 1.0, "negative": 0.9999, "weight": 1e-6, "squared": False}
    with pytest.raises(RecsysError, match="collapsed to one direction"):
        replace(MODEL, loss=pulled, epochs=40, rate=0.5).fit(TRAIN)


def planted(model: TwoTower, noise: float) -> TrainingSetup:
    """TrainingSetup whose vectors lie around one point, far less apart than the margin, and hardly move."""
    work = replace(model, rate=NUDGE).prepare(TRAIN)
    for table in work.tables.tables.values():
        point = torch.zeros(4)
        point[0] = 0.5
        table.weights.copy_(point + noise * table.weights)
    return work


@pytest.mark.parametrize("distance", ["cosine", "euclidean", "dot", "manhattan"])
@pytest.mark.parametrize("loss", ["triplet", "hinge", "bpr"])
def test_a_space_in_one_point_is_recognised_in_its_first_epoch(loss: str, distance: str) -> None:
    with pytest.raises(RecsysError, match="collapsed to one"):
        run_epoch(planted(replace(MODEL, loss=loss, distance=distance), 1e-4), 1)


@pytest.mark.parametrize("distance", ["euclidean", "manhattan"])
def test_a_space_that_shrank_to_the_origin_is_recognised_though_its_directions_differ(distance: str) -> None:
    work = replace(MODEL, distance=distance, rate=NUDGE).prepare(TRAIN)
    for table in work.tables.tables.values():
        table.weights.mul_(1e-4)
    with pytest.raises(RecsysError, match=r"100.0% of the pairs of epoch 1 .* collapsed to one point"):
        run_epoch(work, 1)


@pytest.mark.parametrize("distance", plugins.names("distances"))
@pytest.mark.parametrize("loss", ["triplet", "hinge", "bpr", "margin"])
def test_a_fresh_start_is_no_collapse(loss: str, distance: str) -> None:
    """Its mean loss may be the margin, as scores are in no order; single pairs are not."""
    figures = run_epoch(replace(MODEL, loss=loss, distance=distance, rate=NUDGE).prepare(TRAIN), 1)
    # Inner products begin with short vectors: many scores are near 0, not enough of them to stop a run.
    assert figures["pinned"] < (0.9 if distance == "dot" else 0.2) < diagnostics.PINNED


def test_a_pair_is_pinned_where_its_loss_is_the_margin() -> None:
    """Against the definition, pair by pair."""
    work = replace(MODEL, candidates=40, batch=len(TRAIN)).prepare(TRAIN)
    work.tables["items"][5:] = work.tables["items"][5] * (1 + 1e-6)  # the rest of the items in one point
    (batch,) = batches(work, 1)
    head = diagnostics._head(batch, work.log)
    rows = diagnostics._points(head, work.tables, work.parts)
    found = diagnostics.pair_figures(head, rows, PairInputs(), work.parts)
    near, zero, count = 0, 0, 0
    mask = head.known.mask(slice(0, len(head.items)))
    for row, (user, item) in enumerate(zip(head.users.codes, head.items, strict=True)):
        anchor = work.tables["users"][user]
        scores = torch.nn.functional.cosine_similarity(anchor, work.tables["items"], dim=1)
        for column, other in enumerate(head.candidates.codes):
            if not mask[row, column]:
                term = max(0.0, 0.4 + float(scores[other] - scores[item]))
                count, near, zero = count + 1, near + (abs(term - 0.4) <= 0.004), zero + (term == 0)
    assert found == {"zero_loss": pytest.approx(zero / count), "pinned": pytest.approx(near / count)}
    assert near > count / 2


def test_short_vectors_in_a_good_order_are_no_collapse() -> None:
    """A strong l2 on inner products makes them short first; their order stays."""
    train = Interactions.of(factories.checkerboard()[0])
    model = replace(MODEL, loss={"name": "bpr", "temperature": 1.0}, distance="dot")
    learned, short = model.prepare(train), replace(model, rate=NUDGE).prepare(train)
    for epoch in range(1, 21):
        run_epoch(learned, epoch)
    for name, table in short.tables.tables.items():
        table.weights.copy_(learned.tables[name] * 1e-3)
    assert run_epoch(short, 1)["pinned"] > 0.99


def test_rows_that_no_gradient_reaches_are_dead() -> None:
    work = replace(MODEL, candidates=5, batch=len(TRAIN)).prepare(TRAIN)
    before = work.tables["items"].clone()
    figures = run_epoch(work, 1)
    moved = (work.tables["items"] != before).any(1)
    assert figures["dead"] == pytest.approx(1 - moved.double().mean().item())


def test_a_miner_that_leaves_no_pair_of_an_epoch_stops_the_run() -> None:
    miner = {"name": "semihard", "margin": 1e-12}
    with pytest.raises(RecsysError, match=r"left no pair in all of epoch 1, .* Semihard\(margin=1e-12\)"):
        replace(MODEL, miner=miner, epochs=2).fit(TRAIN)
    replace(MODEL, miner="semihard", epochs=2).fit(TRAIN)


def test_training_ends_when_a_miner_leaves_no_pair(tmp_path: Path) -> None:
    """On two tastes all is learned soon; what was learned is kept, also by a resumed state."""
    train = Interactions.of(factories.checkerboard()[0])
    model = replace(MODEL, miner="semihard", epochs=200, dim=8)
    told: list[Mapping[str, float]] = []
    fitted = model.fit(train, report=lambda _, figures: told.append(figures), checkpoints=tmp_path)
    assert len(told) < 200
    assert [each["mined"] > 0 for each in told] == [True] * (len(told) - 1) + [False]
    again = model.fit(train, report=lambda *_: pytest.fail("trained again"), checkpoints=tmp_path)
    assert again.chosen == fitted.chosen == {"epochs": len(told), "hops": 0, "start_share": 0.0}


def test_a_log_without_a_negative_is_not_the_fault_of_the_miner() -> None:
    replace(MODEL, miner="semihard", epochs=2).fit(
        factories.interactions(factories.raw([("u", "a"), ("v", "a")]))
    )

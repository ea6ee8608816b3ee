import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from recsys.data.tables import Interactions
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.learning.losses.directau import DirectAU
from recsys.learning.reducers import mean
from recsys.learning.regularizers import L2, Together, Uniformity
from recsys.learning.training.loop import batches
from recsys.learning.training.step import step
from recsys.models.popularity import Popularity
from recsys.models.two_tower import TwoTower
from tests import factories
from tests.learning.scenes import scene


def test_the_paper_in_loops_over_unit_vectors() -> None:
    here = scene(seed=44)
    values = []
    for user, item in zip(here.users.tolist(), here.positives.tolist(), strict=True):
        pairs = zip(user, item, strict=True)
        values.append(sum((x / math.hypot(*user) - y / math.hypot(*item)) ** 2 for x, y in pairs))
    ours = mean(DirectAU()(here.pairs())).value().item()
    assert ours == pytest.approx(sum(values) / len(values), abs=1e-12)


def test_the_model_adds_the_uniformity() -> None:
    work = TwoTower(loss={"name": "directau", "weight": 0.3}, tower="lookup", start="normal", l2=0.1).prepare(
        factories.interactions()
    )
    assert work.parts.regularize == Together((L2(0.1), Uniformity(0.3)))


def test_the_objective_in_loops_has_the_gradient_of_a_step() -> None:
    """Wang et al. 2022, equation 7: both halves by autograd, on the vectors of a batch."""
    train = factories.interactions()
    model = TwoTower(
        loss={"name": "directau", "weight": 0.7},
        tower="lookup",
        start="normal",
        dim=4,
        batch=len(train),
        precision="fp32",
    )
    work = model.prepare(train)
    users, items = (work.tables[name].double().requires_grad_() for name in ("users", "items"))
    chosen = [torch.nn.functional.normalize(users[work.log.users], dim=1)]
    chosen.append(torch.nn.functional.normalize(items[work.log.items], dim=1))
    loss = (chosen[0] - chosen[1]).square().sum(1).mean()
    for points in chosen:
        apart = torch.pdist(points).square().mul(-2).exp().mean().log()
        loss = loss + 0.7 / 2 * apart
    wanted = torch.autograd.grad(loss, [users, items])
    gathered = {name: work.tables[name].clone() for name in ("users", "items")}
    (batch,) = batches(work, 1)
    step(batch, work.tables, work.parts)
    for name, gradient in zip(("users", "items"), wanted, strict=True):
        moved = (
            work.tables[name] - gathered[name]
        )  # Adagrad's first step: against the gradient, of one length
        direction = -gradient / gradient.square().mean(1, keepdim=True).sqrt() * model.rate
        torch.testing.assert_close(moved.double(), direction, atol=1e-4, rtol=1e-3)


def test_without_the_uniformity_it_is_stopped_as_collapsed() -> None:
    model = TwoTower(loss={"name": "directau", "weight": 1e-9}, dim=8, batch=64, epochs=60)
    with pytest.raises(RecsysError, match="collapsed to one direction in epoch"):
        model.fit(factories.interactions())


def test_a_weight_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weight is 0.0; it must be positive"):
        DirectAU(0.0)


@pytest.mark.realdata
def test_both_halves_together_beat_popularity(realdata: Path) -> None:
    """On ml-100k, ratings of 4 and 5, a fifth drawn by lot and held out."""
    columns = ["user", "item", "value", "time"]
    log = pl.read_csv(realdata / "ml-100k" / "u.data", separator="\t", has_header=False, new_columns=columns)
    rows = log.filter(pl.col("value") >= 4).select(pl.col("user", "item").cast(pl.String)).rows()
    held_out = np.random.default_rng(0).random(len(rows)) < 0.2
    parts = {
        out: factories.raw([row for row, is_out in zip(rows, held_out, strict=True) if is_out == out])
        for out in (False, True)
    }
    train = Interactions.of(parts[False])
    truth, seen = Truth.of(parts[True], train.users, train.items), train.histories()
    values = [
        evaluate(model.fit(train).scorer, truth, seen, metrics=("ndcg@20",)).values["ndcg@20"]
        for model in (TwoTower(loss="directau", rate=0.1, batch=1024, candidates=1, epochs=5), Popularity())
    ]
    assert values[0] > 1.05 * values[1]

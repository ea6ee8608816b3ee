"""Scores in bfloat16 do not cost quality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.columns import TIME, USER
from recsys.data.synthetic import planted
from recsys.data.tables import Interactions
from recsys.evaluation.validator import validator
from recsys.models.two_tower import TwoTower

MODEL = TwoTower(dim=16, epochs=5, batch=512, candidates=512)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bpr", "triplet", "contrastive", "infonce"])
def test_quality_does_not_move(loss: str) -> None:
    raw = planted(400, 200, 16_000)[0].sort(TIME)
    raw = raw.unique([USER, "item"], maintain_order=True)
    held = pl.Series(np.random.default_rng(0).random(raw.height) < 0.2)
    train = Interactions.of(raw.filter(~held))
    validate = validator(raw.filter(held), train)
    exact, short = (
        np.mean([
            validate(replace(MODEL, loss=loss, seed=seed, precision=precision).fit(train).scorer)
            for seed in range(3)
        ])
        for precision in ("fp32", "bf16")
    )  # fmt: skip
    assert exact > 0.1
    assert short == pytest.approx(exact, rel=0.005)

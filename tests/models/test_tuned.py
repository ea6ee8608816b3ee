"""A tuned model is the best point of its grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.evaluation.validator import validator
from recsys.models import tuned
from recsys.models.als import ALS
from recsys.models.model import Scorer, Validate
from recsys.models.tuned import Tuned
from tests.factories import interactions, random_log

GRID = {"alpha": (1.0, 40.0), "regularization": (0.1, 30.0)}


@pytest.fixture(autouse=True)
def _small_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuned, "grid_of", lambda _: GRID)


def parts() -> tuple[Interactions, Validate]:
    """A log, and a judge by a part of it that was held out."""
    log = random_log(users=80, rows=1200)
    train = Interactions.of(log[::2])
    return train, validator(log[1::2], train)


def vectors(scorer: Scorer) -> np.ndarray:
    assert isinstance(scorer, Embeddings)
    return scorer.items


def test_it_is_the_point_that_validates_best() -> None:
    train, validate = parts()
    points = [
        ALS(dim=4, seed=3, alpha=alpha, regularization=regularization)
        for alpha in GRID["alpha"]
        for regularization in GRID["regularization"]
    ]
    best = max(points, key=lambda point: validate(point.fit(train).scorer))
    fitted = Tuned({"name": "als", "dim": 4}, seed=3).fit(train, validate=validate)
    np.testing.assert_allclose(vectors(fitted.scorer), vectors(best.fit(train).scorer), atol=1e-5)
    chosen = fitted.chosen["of"]
    assert {key: chosen[key] for key in ("name", "dim", "seed", "alpha", "regularization")} == {
        "name": "als", "dim": 4, "seed": 3, "alpha": best.alpha, "regularization": best.regularization,
    }  # fmt: skip


def test_what_was_chosen_is_fitted_again_as_it_is() -> None:
    train, validate = parts()
    model = Tuned({"name": "als", "dim": 4})
    fitted = model.fit(train, validate=validate)
    again = replace(model, **fitted.chosen).fit(train)
    np.testing.assert_allclose(vectors(again.scorer), vectors(fitted.scorer), atol=1e-5)
    assert again.chosen == {}


def test_given_options_stay() -> None:
    train, validate = parts()
    fitted = Tuned({"name": "als", "dim": 4, "alpha": 2.0}).fit(train, validate=validate)
    assert fitted.chosen["of"]["alpha"] == 2.0


def test_without_a_valid_part_it_is_the_model_itself() -> None:
    log = interactions()
    fitted = Tuned({"name": "als", "dim": 4}).fit(log)
    np.testing.assert_allclose(vectors(fitted.scorer), vectors(ALS(dim=4).fit(log).scorer), atol=1e-6)

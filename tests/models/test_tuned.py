"""A tuned model is the best point of its grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.evaluation.validator import validator
from recsys.models.als import ALS
from recsys.models.model import Scorer, Validate
from recsys.models.tuned import Tuned
from tests.factories import interactions, random_log

# Weights are equal, so of the grid of ALS two options are left, and one where alpha is given.
SMALL = {"name": "als", "dim": 4, "iterations": 3}
WITH_ALPHA = {**SMALL, "alpha": 2.0}


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
        ALS(dim=4, iterations=3, seed=3, alpha=alpha, regularization=regularization)
        for alpha in ALS.grid["alpha"]
        for regularization in ALS.grid["regularization"]
    ]
    best = max(points, key=lambda point: validate(point.fit(train).scorer))
    fitted = Tuned(SMALL, seed=3).fit(train, validate=validate)
    np.testing.assert_allclose(vectors(fitted.scorer), vectors(best.fit(train).scorer), atol=1e-5)
    chosen = fitted.chosen["of"]
    assert chosen == {**SMALL, "seed": 3, "alpha": best.alpha, "regularization": best.regularization}


def test_what_was_chosen_is_fitted_again_as_it_is() -> None:
    train, validate = parts()
    model = Tuned(WITH_ALPHA)
    fitted = model.fit(train, validate=validate)
    again = replace(model, **fitted.chosen).fit(train)
    np.testing.assert_allclose(vectors(again.scorer), vectors(fitted.scorer), atol=1e-5)
    assert again.chosen == {}


def test_given_options_stay() -> None:
    train, validate = parts()
    reported: list[Mapping[str, float]] = []
    fitted = Tuned(WITH_ALPHA).fit(
        train, validate=validate, report=lambda _, figures: reported.append(figures)
    )
    assert fitted.chosen["of"]["alpha"] == 2.0
    points = [{key: figures[key] for key in figures if key in ALS.grid} for figures in reported]
    assert [point for point in points if point] == [
        {"regularization": value} for value in ALS.grid["regularization"]
    ]


def test_without_a_validation_set_it_is_the_model_itself() -> None:
    log = interactions()
    fitted = Tuned({"name": "als", "dim": 4}).fit(log)
    np.testing.assert_allclose(vectors(fitted.scorer), vectors(ALS(dim=4).fit(log).scorer), atol=1e-6)

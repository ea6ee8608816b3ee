"""Tuning on the valid part."""

from __future__ import annotations

import numpy as np
import pytest

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.evaluation.validator import validator
from recsys.models.model import Scorer
from recsys.models.tuning import GRIDS, tune
from tests.factories import checkerboard, interactions


def size(scorer: Scorer) -> float:
    """A quality whose best point is known: the dimension nearest to 3."""
    assert isinstance(scorer, Embeddings)
    return -abs(scorer.dim - 3)


def test_the_best_point_wins_and_all_are_kept() -> None:
    reported: list[int] = []
    tuned = tune(
        "als",
        {"dim": (1, 3, 5), "alpha": (1.0, 2.0)},
        interactions(),
        size,
        {"iterations": 1},
        report=lambda step, _: reported.append(step),
    )
    assert tuned.options == {"iterations": 1, "dim": 3, "alpha": 1.0}  # the first of equals
    assert tuned.score == 0
    assert [(row["dim"], row["alpha"], row["score"]) for row in tuned.tried] == [
        (1, 1.0, -2), (1, 2.0, -2), (3, 1.0, 0), (3, 2.0, 0), (5, 1.0, -2), (5, 2.0, -2),
    ]  # fmt: skip
    assert reported == [1, 2, 3, 4, 5, 6]


def test_a_grid_on_real_quality_finds_what_ranks_better() -> None:
    train, valid = checkerboard(users=40, items=20, held_out=2)
    log = Interactions.of(train)
    validate = validator(valid, log, "ndcg@5")
    tuned = tune("als", {"regularization": (1e6, 0.1)}, log, validate, {"dim": 2})
    assert tuned.options["regularization"] == 0.1
    assert validate(plugins.make("models", "als", tuned.options).fit(log).scorer) == tuned.score


def test_what_fitting_chose_is_part_of_the_options() -> None:
    tuned = tune("spectral", GRIDS["spectral"], interactions(), lambda _: 0.5, {"dim": 3, "iterations": 8})
    assert tuned.options == {"dim": 3, "iterations": 2}
    assert tuned.tried == [{"iterations": 2, "score": 0.5}]


def test_a_quality_that_is_not_a_number_never_wins() -> None:
    scores = iter([float("nan"), 0.1])
    tuned = tune("popularity", {}, interactions(), lambda _: 0.2)
    assert tuned.options == {}
    tuned = tune("als", {"dim": (1, 2)}, interactions(), lambda _: next(scores))
    assert tuned.options == {"dim": 2}
    with pytest.raises(InputError, match="none of the 2 settings"):
        tune("als", {"dim": (1, 2)}, interactions(), lambda _: np.nan)


def test_an_option_cannot_be_both_fixed_and_tried() -> None:
    with pytest.raises(InputError, match="dim: both fixed and in the grid"):
        tune("als", {"dim": (1, 2)}, interactions(), size, {"dim": 3})


@pytest.mark.parametrize("name", GRIDS)
def test_every_grid_is_of_options_that_the_model_takes(name: str) -> None:
    for option, values in GRIDS[name].items():
        for value in values:
            plugins.make("models", name, {option: value})

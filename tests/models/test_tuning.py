"""Tuning on the validation set."""

from __future__ import annotations

import numpy as np
import pytest

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError, RecsysError
from recsys.evaluation.validator import validator
from recsys.models.als import ALS
from recsys.models.model import Fitted, Scorer, Validate
from recsys.models.tuned import Tuned
from recsys.models.tuning import grid_of, stages, tune
from recsys.models.weighting import WEIGHTINGS
from tests.factories import checkerboard, interactions, plays


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
    tuned = tune("spectral", grid_of("spectral"), interactions(), lambda _: 0.5, {"dim": 3, "iterations": 8})
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


@pytest.mark.parametrize("name", ["als", "ease", "item_knn", "spectral"])
def test_every_grid_is_of_options_that_the_model_takes(name: str) -> None:
    for option, values in grid_of(name).items():
        for value in values:
            plugins.make("models", name, {option: value})


def counted() -> tuple[Interactions, Validate]:
    train, valid = plays()
    log = Interactions.of(train)
    return log, validator(valid, log)


def raw_weights_only(name: str, log: Interactions, validate: Validate, fixed: dict[str, int]) -> float:
    """The best of the grid where nothing but the weights of the log is tried."""
    grid = {key: values for key, values in grid_of(name).items() if key != "weighting"}
    return tune(name, grid, log, validate, {**fixed, "weighting": "raw"}).score


@pytest.mark.parametrize(("name", "most"), [("als", 32), ("item_knn", 36), ("ease", 10), ("spectral", 4)])
def test_on_counts_every_weighting_is_tried_within_twice_the_fits(name: str, most: int) -> None:
    log, validate = counted()
    fixed = {"dim": 8} if name in ("als", "spectral") else {}
    tuned = tune(name, grid_of(name), log, validate, fixed)
    assert len(tuned.tried) == sum(map(len, stages(name, grid_of(name), log))) <= most
    assert {row["weighting"] for row in tuned.tried} == set(WEIGHTINGS)
    best = max(tuned.tried, key=lambda row: row["score"])
    assert tuned.options["weighting"] == best["weighting"] != "raw"
    # Counts that say nothing of taste cost a baseline that believes them a tenth of its quality, and more.
    assert tuned.score > 1.1 * raw_weights_only(name, log, validate, fixed)
    # All of the grid was tried with the weighting that won.
    plain = [key for key in grid_of(name) if key != "weighting"]
    assert len({tuple(row[key] for key in plain) for row in tuned.tried}) == len(
        {tuple(row[key] for key in plain) for row in tuned.tried if row["weighting"] == best["weighting"]}
    )


def test_where_weights_are_equal_nothing_is_tried_but_the_grid() -> None:
    log = interactions()
    for name, fits in (("als", 16), ("ease", 5), ("spectral", 1)):
        coarse, points = stages(name, grid_of(name), log)
        assert (coarse, len(points)) == ([], fits)
        assert not any("weighting" in point for point in points)
    coarse, points = stages("item_knn", grid_of("item_knn"), log)
    assert {point["weighting"] for point in coarse} == {"none", "bm25"}
    assert len(coarse) + len(points) <= 2 * 18


def test_a_weighting_that_is_given_is_not_tried() -> None:
    log, validate = counted()
    fitted = Tuned({"name": "ease", "weighting": "log1p"}).fit(log, validate=validate)
    assert fitted.chosen["of"]["weighting"] == "log1p"


def failing(monkeypatch: pytest.MonkeyPatch, alphas: tuple[float, ...]) -> None:
    """Makes ALS fail where alpha is among these."""
    whole = ALS.fit

    def fit(self: ALS, train: Interactions, *given: object, **options: object) -> Fitted:
        if self.alpha in alphas:
            raise RecsysError(f"not finite with alpha {self.alpha}")
        return whole(self, train, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ALS, "fit", fit)


def test_a_setting_that_fails_is_noted_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, (1.0,))
    reported: list[int] = []
    grid = {"alpha": (1.0, 2.0), "dim": (3,)}
    tuned = tune("als", grid, interactions(), size, report=lambda step, _: reported.append(step))
    assert tuned.options["alpha"] == 2.0
    assert tuned.tried[0] == {"alpha": 1.0, "dim": 3, "score": None, "failed": "not finite with alpha 1.0"}
    assert reported == [1, 2]


def test_where_every_setting_fails_the_first_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, (1.0, 2.0))
    with pytest.raises(RecsysError, match=r"none of the 2 settings of als could be fitted: .* alpha 1\.0"):
        tune("als", {"alpha": (1.0, 2.0)}, interactions(), size)

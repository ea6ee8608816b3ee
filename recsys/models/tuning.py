"""Choose a model's options on the validation set, out of a small grid that is written down."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from recsys import plugins
from recsys.choosing import Best
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.errors import InputError, RecsysError
from recsys.models.model import Grid, Model, Report, Validate, silent
from recsys.models.weighting import varies

Point = dict[str, Any]

WEIGHTING: Final = "weighting"


def grid_of(name: str) -> Grid:
    """What a model is tuned over when it is a baseline; empty where it has no grid.

    Raises:
        InputError: If there is no such model.
    """
    grid: Grid = plugins.part("models", name).constants.get("grid", {})
    return grid


@dataclass(frozen=True, slots=True)
class TuningResult:
    """What was chosen and what was tried.

    Args:
        options: The best point, with the fixed options and what fitting itself chose.
        score: Its quality on the validation set.
        tried: Every point in the order it was tried: the options that vary, and ``score``; None for one
            that could not be judged, with the reason as ``failed`` where it could not be fitted.
    """

    options: Mapping[str, Any]
    score: float
    tried: list[dict[str, Any]]


def tune(
    name: str,
    grid: Grid,
    train: Interactions,
    validate: Validate,
    options: Mapping[str, Any] | None = None,
    *,
    features: Features | None = None,
    report: Report = silent,
) -> TuningResult:
    """Fit the points of a grid on train and keep the one that validates best; the first one of equals.

    Where the grid holds weightings and the log has weights to choose between, each weighting is tried at a
    quarter of the other combinations, spread over their order; the rest of them is tried with the weighting
    of the best point so far. So the choice costs at most as many fits as the grid has without it. A
    point that cannot be fitted is noted, and the others go on.

    Args:
        name: A part in ``recsys/models``.
        grid: Option -> values to try.
        train: What each point is fitted on.
        validate: Judges a fitted point; higher is better, and a value that is not finite never wins.
        options: Options that stay as they are, such as ``dim``.
        features: What is known about users and items.
        report: Called after each point with its number from 1, its options and its score.

    Raises:
        InputError: If the model or an option is unknown, the grid holds a fixed option or no point, or no
            point has a finite score.
        RecsysError: If no point could be fitted; the message is that of the first.
    """
    fixed = dict(options or {})
    both = sorted(fixed.keys() & grid.keys())
    if both:
        raise InputError(f"{', '.join(both)}: both fixed and in the grid of {name}; give one of the two")
    trials = _Trials(name, fixed, train, features, validate, report)
    coarse, rest = stages(name, grid, train)
    for point in coarse:
        trials.add(point)
    first = trials.best.found if coarse else None
    settled = {WEIGHTING: first.options[WEIGHTING]} if first else {}
    for point in rest:
        trials.add(settled | point)
    return trials.result()


@dataclass(slots=True)
class _Trials:
    """The points that were fitted, and the best of them."""

    name: str
    fixed: Point
    train: Interactions
    features: Features | None
    validate: Validate
    report: Report
    tried: list[Point] = field(default_factory=list)
    failures: list[RecsysError] = field(default_factory=list)
    best: Best[TuningResult] = field(default_factory=Best)

    def add(self, point: Point) -> None:
        """Fit one point and judge it."""
        model: Model = plugins.make("models", self.name, self.fixed | point)
        try:
            fitted = model.fit(self.train, self.features, validate=self.validate)
        except RecsysError as error:
            self.failures.append(error)
            self.tried.append(point | {"score": None, "failed": str(error)})
        else:
            score = self.validate(fitted.scorer)
            found = point | dict(fitted.chosen)
            self.tried.append(found | {"score": score if math.isfinite(score) else None})
            if math.isfinite(score):
                self.best.judge(TuningResult(self.fixed | found, score, self.tried), score)
        self.report(len(self.tried), self.tried[-1])

    def result(self) -> TuningResult:
        """The best point, or why there is none."""
        if self.best.found is not None:
            return self.best.found
        many = f"none of the {len(self.tried)} settings of {self.name} could be"
        if self.failures:
            raise type(self.failures[0])(f"{many} fitted: {self.failures[0]}") from self.failures[0]
        raise InputError(f"{many} scored on the validation set; give a larger one with --valid")


def stages(name: str, grid: Grid, train: Interactions) -> tuple[list[Point], list[Point]]:
    """Points to try first, each with a weighting; then those to try with the weighting that was best.

    Where there is no weighting to choose, all points come second and have none: the model's default holds.
    """
    plain = {option: values for option, values in grid.items() if option != WEIGHTING}
    points = [dict(zip(plain, values, strict=True)) for values in itertools.product(*plain.values())]
    weightings = grid.get(WEIGHTING, ())
    if weightings and not varies(train):  # raw and log1p are none then; BM25 is not, and pays for few models
        weightings = plugins.part("models", name).constants.get("weightings_of_equal", ())
    if not weightings:
        return [], points
    some = max(1, len(points) // 4)
    spread = [points[(2 * place + 1) * len(points) // (2 * some)] for place in range(some)]
    coarse = [{WEIGHTING: weighting, **point} for weighting in weightings for point in spread]
    return coarse, [point for point in points if point not in spread]


def fits(name: str, train: Interactions) -> int:
    """How many settings of a model with a grid are fitted where it is tuned on a log."""
    return sum(map(len, stages(name, grid_of(name), train)))

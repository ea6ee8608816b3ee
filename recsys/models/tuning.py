"""Choose a model's options on the valid part, out of a small grid that is written down."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.models.model import Model, Report, Validate, silent

Grid = Mapping[str, Sequence[Any]]

# What a model is tuned over when it is a baseline; every combination is fitted once. ALS: 16 fits, 16 times
# the seconds of one (half a minute for 0.8 M interactions at dim 64 on two cores, linear in the log).
# Spectral settles its number of rounds within a single fit. Item-knn: 18 fits, each about 5 s for 0.8 M
# interactions of 6,000 users (with their validation). EASE: 5 fits, each the inverse of the catalogue.
GRIDS: Final[Mapping[str, Grid]] = {
    "als": {"alpha": (1.0, 5.0, 20.0, 60.0), "regularization": (0.1, 3.0, 30.0, 100.0)},
    "ease": {"regularization": (50.0, 200.0, 500.0, 1000.0, 3000.0)},
    "item_knn": {
        "similarity": ("cosine", "jaccard"),
        "neighbours": (20, 100, 400),
        "shrinkage": (0.0, 20.0, 100.0),
    },
    "spectral": {},
}


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was chosen and what was tried.

    Args:
        options: The best point, with the fixed options and what fitting itself chose.
        score: Its quality on the valid part.
        tried: Every point in the order of the grid: the options that vary, and ``score``.
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
    report: Report = silent,
) -> Tuned:
    """Fit every point of a grid on train and keep the one that validates best; the first one of equals.

    Args:
        name: A part in ``recsys/models``.
        grid: Option -> values to try; every combination is fitted once.
        train: What each point is fitted on.
        validate: Judges a fitted point; higher is better, and a value that is not finite never wins.
        options: Options that stay as they are, such as ``dim``.
        report: Called after each point with its number from 1, its options and its score.

    Raises:
        InputError: If the model or an option is unknown, the grid holds a fixed option or no point, or no
            point has a finite score.
    """
    fixed = dict(options or {})
    both = sorted(fixed.keys() & grid.keys())
    if both:
        raise InputError(f"{', '.join(both)}: both fixed and in the grid of {name}; give one of the two")
    best: Tuned | None = None
    tried: list[dict[str, Any]] = []
    for values in itertools.product(*grid.values()):
        point = dict(zip(grid, values, strict=True))
        model: Model = plugins.make("models", name, fixed | point)
        fitted = model.fit(train, validate=validate)
        score = validate(fitted.scorer)
        tried.append(point | dict(fitted.chosen) | {"score": score if math.isfinite(score) else None})
        report(len(tried), tried[-1])
        if math.isfinite(score) and (best is None or score > best.score):
            best = Tuned(fixed | point | dict(fitted.chosen), score, tried)
    if best is None:
        raise InputError(
            f"none of the {len(tried)} points of the grid of {name} could be scored on the valid part; "
            "give a larger one with --valid"
        )
    return best

"""Several models as one: still one vector per user and one per item, served by one index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from recsys.choosing import choose
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.models.composition import draws, named, nested, seeded
from recsys.models.joining import (
    JOINABLE,
    DotVectors,
    Matrix,
    join,
    judged,
    not_joinable,
    served_distance,
    with_fold_in,
)
from recsys.models.model import Fitted, Report, Validate, makes_vectors, silent

FACTORS: Final = (0.0, 0.5, 2.0)
ROUNDS: Final = 3


@dataclass(frozen=True)
class Blend:
    """The weighted sum of the scores of several models, each brought to unit spread per user.

    ``s_ui = sum over parts p of w_p s^p_ui / spread_p(u)``, where the spread is the standard deviation of the
    user's scores over all items. All parts are fitted here, to the same interactions, so the weights are
    chosen on rows that no part has seen. The search begins with equal weights and each part alone; then, part
    by part, a weight is dropped, halved and doubled, and a dropped one brought back, while that helps, three
    rounds at most: about ``1 + 6 parts`` to ``1 + 16 parts`` validations.

    Args:
        of: The parts: names of models, or names and options; two at least, made of vectors; without a word
            the two towers and a tuned ALS. Equal ones are drawn anew each: fits of one model from several
            seeds err in different ways.
        weights: One for each part, not negative; None: chosen on the validation set, equal where there is
            none.
        dim: Length of a vector after the cut; None keeps the sum of the parts' lengths.
        seed: Of the parts that set none.

    Raises:
        ValueError: If there are fewer than two parts, the weights do not fit them, or a part is not made of
            vectors or of a distance that is no inner product.
        InputError: If a part is unknown, or refused itself.

    Source: Jahrer, Töscher and Legenstein 2010, Combining predictions for accurate recommender systems
    (linear blending); the scaling and the cut are ours.
    """

    of: Sequence[str | Mapping[str, Any]] = ("two_tower", "tuned")
    weights: Sequence[float] | None = None
    dim: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.of, str | Mapping) or len(self.of) < 2:
            raise ValueError(f"of is {self.of!r}; a blend is made of two models at least")
        if self.weights is not None and (
            len(self.weights) != len(self.of) or min(self.weights) < 0 or not sum(self.weights) > 0
        ):
            raise ValueError(
                f"weights are {list(self.weights)}; give {len(self.of)}, one for each part, not all of them 0"
            )
        if self.dim is not None and self.dim < 1:
            raise ValueError(f"dim is {self.dim}; it must be at least 1")
        faults = [fault for part in self.of if (fault := _unjoinable(*named(part, "model")))]
        if faults:
            raise ValueError("; ".join(faults))

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Fit the parts and choose their weights; see ``Model.fit``."""
        counted = _Counted(report)
        parts, settled = [], []
        for number, (each, seed) in enumerate(zip(self.of, draws(self.of, self.seed), strict=True)):
            name, options = named(each, "model")
            if seed != self.seed:
                options = seeded(name, options, seed)  # kept, for a refit to draw the same
            folder = None if checkpoints is None else checkpoints / f"part-{number}"
            fitted = nested(name, options, self.seed).fit(
                train, features, validate=validate, report=counted, checkpoints=folder
            )
            assert isinstance(fitted.scorer, Embeddings)  # others were refused when the blend was made
            parts.append(DotVectors.of(fitted.scorer))
            settled.append({"name": name, **options, **fitted.chosen})
        weights = tuple(self.weights or [1 / len(parts)] * len(parts))
        inputs = np.hstack([part.inputs for part in parts])
        if self.weights is None and validate is not None:
            weights = self._search(parts, weights, inputs, train, validate, counted)
        scorer = with_fold_in(join(parts, weights, self.dim, train), inputs, train)
        return Fitted(scorer, {"of": settled, "weights": list(weights)})

    def _search(
        self,
        parts: Sequence[DotVectors],
        equal: tuple[float, ...],
        inputs: Matrix,
        train: Interactions,
        validate: Validate,
        report: Report,
    ) -> tuple[float, ...]:
        tried: dict[tuple[float, ...], float] = {}

        def quality(weights: tuple[float, ...]) -> float:
            if weights not in tried:
                joined = join(parts, weights, self.dim, train)
                tried[weights] = judged(joined, lambda: inputs, train, validate)
                shown = {f"weight {number}": weight for number, weight in enumerate(weights)}
                report(0, shown | {"valid": tried[weights]})
            return tried[weights]

        alone = [tuple(float(part == other) for other in range(len(parts))) for part in range(len(parts))]
        best = max([equal, *alone], key=quality)
        for start in dict.fromkeys((equal, best)):
            best = max(best, _climb(start, quality), key=quality)
        return choose((equal, best), quality)


def _unjoinable(name: str, options: Mapping[str, Any]) -> str | None:
    """Why a part cannot be blended, known before anything is fitted; None where it can be."""
    model = nested(name, options, 0)
    if not makes_vectors(model):
        instead = ", or give it a dim" if name == "ease" else ""
        return f"{name} is not made of vectors, so it cannot be blended; leave it out{instead}"
    distance = served_distance(named(getattr(model, "distance", "dot"))[0])
    return None if distance in JOINABLE else f"{name}: {not_joinable(distance)}"


def _climb(start: tuple[float, ...], quality: Any) -> tuple[float, ...]:
    """Change one weight after the other while that helps."""
    best = start
    for _ in range(ROUNDS):
        before = best
        for part in range(len(start)):
            best = max([best, *_neighbours(best, part)], key=quality)
        if best == before:
            break
    return best


def _neighbours(weights: tuple[float, ...], part: int) -> Iterator[tuple[float, ...]]:
    """Weights, of sum 1, with one of them dropped, halved and doubled; or brought back from 0."""
    around = weights[part] or 1 / len(weights)
    for factor in FACTORS:
        changed = [around * factor if place == part else weight for place, weight in enumerate(weights)]
        if sum(changed) > 0:
            yield tuple(round(weight / sum(changed), 6) for weight in changed)


@dataclass
class _Counted:
    """Numbers the reports of all parts, one after the other."""

    report: Report
    steps: int = 0

    def __call__(self, step: int, figures: Mapping[str, float]) -> None:
        self.steps += step > 0
        self.report(self.steps if step > 0 else 0, figures)

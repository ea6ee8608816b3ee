"""Vectors of a model whose score keeps a share of another one's, such as what it started from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.choosing import choose
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.models.composition import fit_nested, nested_vectors
from recsys.models.joining import JOINABLE, DotVectors, join, judged, with_fold_in
from recsys.models.model import Fitted, Report, Validate, silent


@dataclass(frozen=True)
class Anchored:
    """A model whose score keeps a share of another model's, see ``best_share``.

    Args:
        of: The model: its name, or name and options.
        anchor: The other one, likewise. Both must make vectors whose score is an inner product.
        share: Of the score, in 0..1; with validation it is dropped where the model alone is clearly better.
        dim: Dimensions of the vectors that are served.
        seed: Of the models, where they set none.

    Source: Jahrer, Töscher and Legenstein 2010 (linear blending); Eckart and Young 1936 for the cut.
    """

    of: str | Mapping[str, Any] = "two_tower"
    anchor: str | Mapping[str, Any] = "spectral"
    share: float = 0.25
    dim: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share}; it must lie in 0..1")
        if self.dim < 1:
            raise ValueError(f"dim is {self.dim}; it must be at least 1")
        for each in (self.of, self.anchor):
            nested_vectors(each, self.seed)

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Fit both models and join their scores; see ``Model.fit``."""
        (model, settled), (anchor, also) = (
            fit_nested(
                spec, self.seed, train, features,
                validate=validate, report=report, checkpoints=checkpoints and checkpoints / name,
            )
            for name, spec in (("of", self.of), ("anchor", self.anchor))
        )  # fmt: skip
        share, scorer = best_share(model, anchor, self.share, self.dim, train, validate)
        return Fitted(scorer, {"of": settled, "anchor": also, "share": share})


def best_share(
    model: Embeddings,
    start: Embeddings | None,
    share: float,
    dim: int,
    train: Interactions,
    validate: Validate | None,
) -> tuple[float, Embeddings]:
    """The model with its score in part that of its start, unless it is clearly better by itself.

    ``s_ui = (1 - share) s^model_ui / spread_model(u) + share s^start_ui / spread_start(u)``, the spread being
    the standard deviation of the user's scores over all items; then cut to its nearest matrix of rank
    ``dim``, so that vectors are no longer than before. What a loss learns from single comparisons and what a
    decomposition sees of the whole matrix err in different ways, and their sum less than either.

    Args:
        model: Finished vectors; they are left as they are where their score is no inner product.
        start: What the start serves by itself; None where that was chance.
        share: Between 0, which is the model itself, and 1.
        dim: Length of a vector after the cut.
        train: What both were fitted to.
        validate: Judges both; without it the share is kept, and where it cannot tell them apart.

    Returns:
        The share, 0 where the model alone is clearly better, and the vectors.

    Source: Jahrer, Töscher and Legenstein 2010 (linear blending); Eckart and Young 1936 for the cut.
    """
    if share == 0 or start is None or model.distance not in JOINABLE:
        return 0.0, model
    parts = DotVectors.of(model), DotVectors.of(start)
    joined = join(parts, (1 - share, share), dim, train)
    inputs = np.hstack([part.inputs for part in parts])
    if validate is not None:

        def quality(each: Embeddings) -> float:
            return validate(model) if each is model else judged(joined, lambda: inputs, train, validate)

        if choose([joined, model], quality) is model:
            return 0.0, model
    return share, with_fold_in(joined, inputs, train)

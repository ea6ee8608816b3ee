"""Finished vectors that keep a share of what they started from."""

from __future__ import annotations

import numpy as np

from recsys.choosing import clearly_better
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.models.joining import JOINABLE, DotVectors, join, judged, with_fold_in
from recsys.models.model import Validate


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
    if validate is not None and clearly_better(
        validate(model), judged(joined, lambda: inputs, train, validate)
    ):
        return 0.0, model
    return share, with_fold_in(joined, inputs, train)

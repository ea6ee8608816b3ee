"""The most chosen items, for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.columns import ITEM
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.models.model import Fitted, Report, Validate, silent


@dataclass(frozen=True)
class Popularity:
    """Scores an item by how many users chose it; every model has to beat this one.

    ``score = |users who chose the item|``, as vectors of one dimension: 1 for a user, the count for an item.

    Example:
        >>> import polars as pl
        >>> rows = {"user": ["a", "a", "b"], "item": ["1", "2", "2"], "time": [0, 1, 2], "weight": [1.0] * 3}
        >>> Popularity().fit(Interactions.of(pl.DataFrame(rows))).scorer.scores(np.array([0])).tolist()
        [[1.0, 2.0]]
    """

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Count; see ``Model.fit``. Nothing is left to choose, report or keep."""
        counts = np.bincount(train.frame[ITEM].to_numpy(), minlength=len(train.items))
        scorer = Embeddings(
            np.ones((len(train.users), 1), dtype=np.float32),
            counts.astype(np.float32)[:, None],  # (I, 1)
            train.users,
            train.items,
            "dot",
            # A mean of ones is 1, whatever the history: someone unseen gets the same list.
            np.ones((len(train.items), 1), dtype=np.float32),
            FoldIn("sum", {"power": 1.0}),
        )
        return Fitted(scorer)

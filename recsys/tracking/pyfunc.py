"""The model that MLflow serves, from code: users in, recommendations out. MLflow runs this file to load it.

Input: a frame with the column ``user`` (ids as in the log). Output: user, item, rank, score, k rows a user,
best first. Parameters: ``k``, and ``unknown``: what a user the run does not know gets (popular, skip, error).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import models, pyfunc


class Recommender(pyfunc.PythonModel):  # type: ignore[misc]  # mlflow gives no other way in
    """Serves the run folder that was logged with it as the artifact ``run``."""

    def load_context(self, context: pyfunc.PythonModelContext) -> None:
        """Map the run folder."""
        from recsys.retrieval.service import Service

        self.service = Service.open(Path(context.artifacts["run"]))

    def predict(
        self,
        context: pyfunc.PythonModelContext,
        model_input: pd.DataFrame,
        params: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Recommend for each user of the frame."""
        asked: dict[str, Any] = {"k": 10, "unknown": "popular"} | dict(params or {})
        users = [str(user) for user in model_input["user"]]
        lists = self.service.recommend(users, int(asked["k"]), unknown=asked["unknown"])
        rows = [(each.user, place.item, place.rank, place.score) for each in lists for place in each.items]
        return pd.DataFrame(rows, columns=["user", "item", "rank", "score"])


models.set_model(Recommender())

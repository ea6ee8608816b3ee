"""The model that MLflow serves, from code: users in, recommendations out. MLflow runs this file to load it.

Input, a list for each row of a frame (ids of any type, as ``recsys.ids.id_text`` reads them):

* ``user``: an id;
* ``history``: the items of an unseen user, the oldest first: a list, a JSON text of one, or a text as
  ``recsys recommend --history`` takes it. A row that has one is answered by it, and its user is only a label;
* ``exclude``: items to leave out, in the same forms.

Output: user, item, rank, score, title (null if there is none); at most k rows a list, the best first.
Parameters: ``k``, and ``unknown``: what a user the run does not know gets, or a history without a known item:
``popular`` items, ``skip``: no rows, or ``error``. A row with neither user nor history is an error under
``error``, and gets no rows otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from mlflow import exceptions, models, pyfunc

if TYPE_CHECKING:
    from recsys.retrieval.recommender import Listed
    from recsys.storage.string_column import TextColumn

COLUMNS = ("user", "history", "exclude")


class Recommender(pyfunc.PythonModel):  # type: ignore[misc]  # mlflow gives no other way in
    """Serves the run folder that was logged with it as the artifact ``run``."""

    def load_context(self, context: pyfunc.PythonModelContext) -> None:
        """Map the run folder."""
        from recsys.retrieval.recommender import Service

        self.service = Service.open(Path(context.artifacts["run"]))

    def predict(
        self,
        context: pyfunc.PythonModelContext,
        model_input: pd.DataFrame,
        params: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Recommend for each row of the frame."""
        from recsys.errors import InputError

        asked: dict[str, Any] = {"k": 10, "unknown": "popular"} | dict(params or {})
        try:
            rows = self._answer(_rows(model_input), asked["k"], asked["unknown"])
        except InputError as error:  # a server answers 400 to it, with the message
            raise exceptions.MlflowException.invalid_parameter_value(str(error)) from error
        return pd.DataFrame(rows, columns=["user", "item", "rank", "score", "title"])

    def _answer(self, given: Iterator[tuple[object, ...]], k: int, unknown: Any) -> list[tuple[Any, ...]]:
        from recsys.errors import InputError
        from recsys.ids import id_text

        catalogue = self.service.model.item_ids
        asked = []
        for number, (user, history, exclude) in enumerate(given, start=1):
            try:
                asked.append((id_text(user), _items(history, catalogue), _items(exclude, catalogue)))
            except InputError as error:
                raise InputError(f"row {number}: {error}") from error
        plain = [user for user, history, exclude in asked if not history and not exclude]
        lists = {each.user: each.items for each in self.service.recommend(plain, k, unknown=unknown)}
        rows = []
        for user, history, exclude in asked:
            one = self._single(user, history, exclude, k, unknown) if history or exclude else lists.get(user)
            rows += [(user, place.item, place.rank, place.score, place.title) for place in one or []]
        return rows

    def _single(
        self, user: str | None, history: list[str], exclude: list[str], k: int, unknown: Any
    ) -> list[Listed]:
        from recsys.retrieval.filters import Rules, look_up

        rules = Rules(exclude=look_up(exclude, self.service.model.item_ids).codes)
        if not history:
            found = self.service.recommend([user], k, unknown=unknown, rules=rules)
            return found[0].items if found else []
        if unknown == "error" or len(look_up(history, self.service.model.item_ids).codes):
            return self.service.recommend_history(history, k, rules=rules)[0].items
        return self.service.popular(k, rules=rules) if unknown == "popular" else []


def _rows(given: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """User, history and exclude of each row, None if there is no such column.

    MLflow makes one row of a dictionary of lists of text; here it is a table of columns all the same.
    """
    from recsys.errors import InputError

    if not {"user", "history"} & set(given.columns):
        raise InputError("there is no column user, nor history; give one of them")
    columns = {name: given[name].tolist() for name in COLUMNS if name in given.columns}
    if len(given) == 1 and isinstance(columns.get("user", [None])[0], list):
        columns = {name: cells[0] if isinstance(cells[0], list) else cells for name, cells in columns.items()}
        sizes = {name: len(cells) for name, cells in columns.items()}
        if len(set(sizes.values())) > 1:
            raise InputError(f"columns are of different lengths: {sizes}; give each as many values as user")
    empty = [None] * max(len(cells) for cells in columns.values())
    return zip(*(columns.get(name, empty) for name in COLUMNS), strict=True)


def _items(cell: object, catalogue: TextColumn) -> list[str]:
    """The item ids of a cell; none where it is null."""
    from recsys.ids import find_id, id_texts
    from recsys.retrieval.id_lists import ids_of_text

    if isinstance(cell, str):
        if not cell.lstrip().startswith("[") or find_id(cell, catalogue) is not None:
            return ids_of_text(cell, catalogue)
        try:
            cell = json.loads(cell)
        except ValueError:
            return ids_of_text(str(cell), catalogue)
    return [text for text in id_texts(cell) if text is not None]


models.set_model(Recommender())

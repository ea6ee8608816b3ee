"""Weights from item to item: a score is a sum over what was chosen before; no vectors, no index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from recsys.embeddings import Embeddings, FoldIn
from recsys.errors import InputError
from recsys.ragged import Ragged
from recsys.storage.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy import sparse

    from recsys.data.tables import Interactions
    from recsys.ids import IdMap


USERS_AT_ONCE: Final = 256
SERVED_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class ItemWeights:
    """Scores ``s_ui = sum of W_hi over the history h of u``. A ``Scorer``; numpy only.

    Args:
        weights: W (I, I), the row being the item of the history: dense f32, or ragged rows of what is not 0.
        history: A row for each user code: the items that the user chose.
        user_ids: U raw ids.
        item_ids: I raw ids.

    Example:
        >>> import polars as pl
        >>> from recsys.ids import IdMap
        >>> ids = IdMap(pl.Series(["a", "b", "c"]))
        >>> weights = np.array([[0, 2, 1], [2, 0, 0], [1, 0, 0]], dtype=np.float32)
        >>> chosen = Ragged(np.array([0, 2]), np.array([0, 1], dtype=np.int32))
        >>> ItemWeights(weights, chosen, IdMap(pl.Series(["u"])), ids).scores(np.array([0])).tolist()
        [[2.0, 2.0, 1.0]]
    """

    weights: FloatArray | Ragged
    history: Ragged
    user_ids: IdMap
    item_ids: IdMap

    def scores(self, users: IntArray) -> FloatArray:
        """Users (n,) -> scores (n, I)."""
        return score(self.weights, self.history, users)

    def embeddings(self, most: int = SERVED_BYTES) -> Embeddings:
        """The same scores as inner products, to be saved and served: a user is the history, an item a column.

        With I dimensions, a user (U, I) is 1 at the items of the history and item i is ``W[:, i]``; a user
        never seen is the sum of unit vectors over the history, which is exact too. That takes
        ``4 I (U + 2 I)`` bytes, so it is for small catalogues.

        Raises:
            InputError: If it takes more than ``most`` bytes.
        """
        items = len(self.item_ids)
        needed = 4 * items * (len(self.user_ids) + 2 * items)
        if needed > most:
            raise InputError(
                f"to serve weights between {items:,} items to {len(self.user_ids):,} users takes "
                f"{needed / 2**30:,.1f} GiB, and {most / 2**30:,.3g} GiB is allowed; such a model can be "
                "compared with (recsys train --baselines item-knn,ease), and als, spectral and two-tower be "
                "served"
            )
        units = np.eye(items, dtype=np.float32)
        users = np.zeros((len(self.user_ids), items), dtype=np.float32)
        users[np.repeat(np.arange(len(users)), np.diff(self.history.indptr)), self.history.indices] = 1
        columns = np.ascontiguousarray(
            score(
                self.weights, Ragged(np.arange(items + 1), np.arange(items, dtype=np.int32)), np.arange(items)
            ).T
        )
        return Embeddings(
            users, columns, self.user_ids, self.item_ids, "dot", units, FoldIn("sum", {"power": 0.0})
        )


def score(
    weights: FloatArray | Ragged,
    history: Ragged,
    rows: npt.NDArray[np.integer],
    at_once: int = USERS_AT_ONCE,
) -> FloatArray:
    """Sums of the rows of ``weights`` (I, I) over each of the histories ``rows`` (n,) -> (n, I)."""
    items = len(weights)
    scores = np.empty((len(rows), items), dtype=np.float32)
    for start in range(0, len(rows), at_once):
        block = np.asarray(rows[start : start + at_once])
        here = slice(start, start + len(block))
        if isinstance(weights, Ragged):
            for place, row in enumerate(block, start=start):
                chosen = history.indices[history.indptr[row] : history.indptr[row + 1]]
                entries = weights.positions(chosen)
                values = None if weights.values is None else weights.values[entries]
                scores[place] = np.bincount(weights.indices[entries], values, minlength=items)
        else:
            chosen_by = np.zeros((len(block), items), dtype=np.float32)  # (b, I)
            lengths = history.indptr[block + 1] - history.indptr[block]
            owner = np.repeat(np.arange(len(block)), lengths)
            chosen_by[owner, history.indices[history.positions(block)]] = 1
            scores[here] = chosen_by @ weights
    return scores


def chosen(train: Interactions) -> sparse.csr_array:
    """(U, I) float32, 1 where the user chose the item."""
    matrix = train.csr()
    matrix.data = np.ones_like(matrix.data)
    return matrix

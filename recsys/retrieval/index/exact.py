"""The true nearest items: a blocked product and one top-k; the oracle of every other index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from recsys import plugins
from recsys.errors import InputError, RecsysError
from recsys.learning.distances.distance import Distance
from recsys.ragged import Ragged
from recsys.storage.arrays import Codes, FloatArray

if TYPE_CHECKING:
    from recsys.retrieval.index.mixed_precision import Nomination

# Scores held at once: 16 MB of float32, whatever the number of vectors.
BLOCK_SCORES: Final = 1 << 22
# For so many scores and vectors, blocks and nomination gain more than they cost.
MANY_SCORES: Final = 1 << 22
MANY_VECTORS: Final = 8


@dataclass
class Exact:
    """Compares a vector with every item; the lists are the true ones.

    Scores come from the named distance, the one that training used. Work is done in blocks of vectors, so
    memory does not grow with their number. A few vectors are scored against all items at once; many go
    through ``Nomination``, and those whose list is not certain there, such as ties at its end, are scored
    against all items after all.

    Args:
        distance: Name of a part in ``recsys/learning/distances``.

    Example:
        >>> index = Exact("dot").build(np.array([[1.0], [3.0], [2.0], [3.0]], dtype=np.float32))
        >>> codes, scores = index.query(np.array([[1.0]], dtype=np.float32), k=3)
        >>> codes.tolist(), scores.tolist()
        ([[1, 3, 2]], [[3.0, 3.0, 2.0]])
    """

    distance: str = "dot"
    exact: ClassVar[bool] = True
    _items: FloatArray | None = field(default=None, init=False, repr=False)
    _nomination: Nomination | None = field(default=None, init=False, repr=False)

    def build(self, items: FloatArray) -> Exact:
        """Take the item vectors (I, D); nothing is computed before the first query.

        Returns:
            The index itself.
        """
        self._items = items
        self._nomination = None
        return self

    def query(self, vectors: FloatArray, k: int, exclude: Ragged | None = None) -> tuple[Codes, FloatArray]:
        """The k best items for each vector; see ``Index.query``.

        Raises:
            InputError: If k is below 1 or the vectors have another dimension than the items.
            RecsysError: If nothing was built.
        """
        if self._items is None:
            raise RecsysError("the exact index holds no items; call build(items) first")
        check(vectors, k, self._items.shape[1])
        distance: Distance = plugins.make("distances", self.distance)
        if len(vectors) >= MANY_VECTORS and len(vectors) * len(self._items) >= MANY_SCORES:
            return self._many(distance, self._items, vectors, k, exclude)
        return few(distance, self._items, vectors, k, exclude)

    def _many(
        self, distance: Distance, items: FloatArray, vectors: FloatArray, k: int, exclude: Ragged | None
    ) -> tuple[Codes, FloatArray]:
        from recsys.retrieval.index.mixed_precision import Nomination, can_nominate

        if not can_nominate(distance, len(items), k):
            return few(distance, items, vectors, k, exclude)
        if self._nomination is None:
            self._nomination = Nomination(distance, items)
        codes, scores, certain = self._nomination.query(vectors, k, exclude)
        left = np.flatnonzero(~certain)
        if len(left):
            rest = None if exclude is None else exclude.take(left)
            codes[left], scores[left] = few(distance, items, vectors[left], k, rest)
        return codes, scores


def few(
    distance: Distance,
    items: FloatArray,
    vectors: FloatArray,
    k: int,
    exclude: Ragged | None,
    block_scores: int = BLOCK_SCORES,
) -> tuple[Codes, FloatArray]:
    """The k best by numpy alone: all scores in float32, at most ``block_scores`` at once."""
    codes = np.full((len(vectors), k), -1, dtype=np.int32)
    scores = np.full((len(vectors), k), -np.inf, dtype=np.float32)
    size = max(1, block_scores // max(1, len(items)))
    for start in range(0, len(vectors), size):
        block = slice(start, min(start + size, len(vectors)))
        matrix = np.asarray(distance.matrix(vectors[block], items), dtype=np.float32)  # (b, I)
        if exclude is not None:
            mask(matrix, exclude, block)
        codes[block], scores[block] = top(matrix, k)
    return codes, scores


def check(vectors: FloatArray, k: int, dim: int) -> None:
    """Refuse a query that cannot be answered.

    Raises:
        InputError: If k is below 1 or the vectors have another dimension than the items.
    """
    if k < 1:
        raise InputError(f"k is {k}; a list has at least 1 item")
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise InputError(f"the vectors have shape {vectors.shape}; the index needs (n, {dim})")


def mask(matrix: FloatArray, exclude: Ragged, block: slice) -> None:
    """Set the scores (b, I) of excluded items to -inf, at the CSR positions of the block's rows."""
    bounds = exclude.indptr[block.start : block.stop + 1]
    rows = np.repeat(np.arange(len(matrix)), np.diff(bounds))
    matrix[rows, exclude.indices[bounds[0] : bounds[-1]]] = -np.inf


def top(matrix: FloatArray, k: int) -> tuple[Codes, FloatArray]:
    """The k largest of each row (b, I), largest first and equal ones by code; -inf is never listed.

    Example:
        >>> codes, _ = top(np.array([[1.0, 2.0, 2.0, -np.inf]], dtype=np.float32), k=4)
        >>> codes.tolist()
        [[1, 2, 0, -1]]
    """
    rows, items = matrix.shape
    codes = np.full((rows, k), -1, dtype=np.int32)
    scores = np.full((rows, k), -np.inf, dtype=np.float32)
    if not items:
        return codes, scores
    kept = matrix > -np.inf
    if k < items:
        least = np.partition(matrix, items - k, axis=1)[:, items - k]  # (b,) the k-th largest
        kept &= matrix >= least[:, None]  # more than k where some are equal to it
    row, code = np.nonzero(kept)
    value = matrix[row, code]
    order = np.lexsort((code, -value, row))
    row, code, value = row[order], code[order], value[order]
    place = np.arange(len(row)) - np.searchsorted(row, np.arange(rows))[row]
    listed = place < k
    codes[row[listed], place[listed]] = code[listed]
    scores[row[listed], place[listed]] = value[listed]
    return codes, scores

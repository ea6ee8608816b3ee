"""How much an interaction says: what a model is fitted to in the place of the weights of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from recsys.columns import WEIGHT
from recsys.data.tables import Interactions

if TYPE_CHECKING:
    from scipy import sparse

TOO_LARGE: Final = "sums of the weights of the log are beyond the largest float; take weighting none or log1p"
# Of BM25: where a weight saturates, and how much of the length of a history is divided out.
K1: Final = 100.0
B: Final = 0.8

Values = npt.NDArray[np.float64]


def weighted(train: Interactions, weighting: str) -> sparse.csr_array:
    """The interactions as a matrix (U, I) float32, each entry with the weight that a model is to learn from.

    ``none``: 1. ``raw``: the weight w of the log. ``log1p``: ``log(1 + w)``. ``bm25``: see ``bm25``. The last
    two are divided by their mean, so that a confidence, a ridge or a shrinkage means the same for them as
    for ``none``.

    Raises:
        ValueError: If there is no such weighting.
    """
    check_weighting(weighting)
    matrix = train.csr()
    if weighting == "raw":
        return matrix
    values = _TRANSFORMS[weighting](matrix)
    matrix.data = (values / (values.mean() or 1.0)).astype(np.float32)
    return matrix


def bm25(matrix: sparse.csr_array) -> Values:
    """Okapi BM25 of the entries of a matrix (U, I), users being documents and items their words.

    ``w (K1 + 1) / (K1 (1 - B + B s_u / mean(s)) + w) idf_i`` with s_u the sum of the weights of user u and
    ``idf_i = log(U) - log(1 + users who chose i)``: what a user repeats saturates, users of many interactions
    say less about each, and popular items less than rare ones. An item that all or all but one chose has the
    least idf there is, 1 / U, where the formula gives none, or less than none.

    Source: Robertson and Zaragoza 2009, The probabilistic relevance framework: BM25 and beyond, section 3.4,
    with K1, B and the idf of ``implicit.nearest_neighbours.bm25_weight``, whose rows are the documents.
    """
    users = matrix.shape[0]
    weights = matrix.data.astype(np.float64)
    owner = np.repeat(np.arange(users), np.diff(matrix.indptr))
    sums = np.bincount(owner, weights, minlength=users)  # (U,)
    length = 1 - B + B * sums / sums.mean()
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])  # (I,)
    idf = np.maximum(np.log(users) - np.log1p(counts), 1 / users)
    return np.asarray(weights * (K1 + 1) / (K1 * length[owner] + weights) * idf[matrix.indices])


_TRANSFORMS: Final[Mapping[str, Callable[[sparse.csr_array], Values]]] = {
    "none": lambda matrix: np.ones(matrix.nnz),
    "log1p": lambda matrix: np.log1p(matrix.data.astype(np.float64)),
    "bm25": bm25,
}
WEIGHTINGS: Final = ("none", "raw", "log1p", "bm25")


def check_weighting(weighting: str) -> None:
    """Refuse an unknown weighting.

    Raises:
        ValueError: With those that there are.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting is {weighting!r}; it can be {', '.join(WEIGHTINGS)}")


def varies(train: Interactions) -> bool:
    """Whether the log has weights to choose between: where all are equal, raw and log1p are none."""
    weights = train.frame[WEIGHT]
    return bool(weights.min() != weights.max())

"""A linear model from item to item, in closed form; shallow, and hard to beat."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import numpy.typing as npt

from recsys import seeds
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.errors import InputError, RecsysError
from recsys.models.item_scores import ItemWeights, chosen
from recsys.models.model import Fitted, Grid, Report, Validate, silent
from recsys.models.truncated_svd import truncated_svd
from recsys.models.weighting import TOO_LARGE, check_weighting, weighted
from recsys.storage.arrays import FloatArray

if TYPE_CHECKING:
    from scipy import sparse


# The matrix in float64, inverted in place, and the weights in float32.
BYTES_AN_ENTRY: Final = 12
ROWS_AT_ONCE: Final = 1024
# Of the subspace iteration, as many as make the ranking that of the exact cut.
ROUNDS: Final = 8


@dataclass(frozen=True)
class EASE:
    """Each item is predicted from all others of the history, by ridge regression with an empty diagonal.

    Minimises ``|X - X B|^2 + regularization |B|^2`` with ``diag(B) = 0`` over B (I, I), where X (U, I) is 1
    where the user chose the item, or its weight (``weighting``). With ``P = (X'X + regularization 1)^-1`` it
    is ``B = 1 - P diag(1 / P)``: ``B_ij = -P_ij / P_jj`` off the diagonal.
    ``score(u, i) = sum of B_hi over the history h of u``.

    The inverse is dense: ``I^3`` multiplications and ``12 I^2`` bytes, so 1 s for 3,000 items on two cores,
    an hour and 20 GB for 40,000.

    With ``dim``, the scores ``S = X B`` are cut to the nearest matrix of that rank, ``S V V'`` with V (I, D)
    the leading right singular vectors of S. That is one vector per user and one per item, scored by the inner
    product: item i is ``v_i``, a user the sum of ``(B V)_h`` over the history, seen in training or not.

    Args:
        regularization: Above 0; a few hundred is usual, more for longer logs.
        dim: Length of a vector after the cut, at least 1; None keeps B, which no index can serve.
        weighting: What X is: none (1), raw (the weights of the log), log1p or bm25; see
            ``recsys.models.weighting``. The history h has no weights.

    Raises:
        ValueError: If the regularization is not above 0, or ``dim`` is below 1.

    Source: Steck 2019, Embarrassingly shallow autoencoders for sparse data, equation 8; Eckart and Young
    1936 for the cut, found by ``truncated_svd``.

    Example:
        >>> import polars as pl
        >>> rows = {"user": [*"aab"], "item": [*"121"], "time": [0] * 3, "weight": [1.0] * 3}
        >>> model = EASE(regularization=1.0).fit(Interactions.of(pl.DataFrame(rows))).scorer
        >>> model.scores(np.array([1])).astype(str).tolist()  # P is ((2, -1), (-1, 3)) / 5
        [['0.0', '0.33333334']]
    """

    regularization: float = 500.0
    dim: int | None = None
    weighting: str = "none"

    # 5 fits, 8 where weights differ, each the inverse of the catalogue.
    grid: ClassVar[Grid] = {
        "weighting": ("none", "raw", "log1p", "bm25"),
        "regularization": (50.0, 200.0, 500.0, 1000.0, 3000.0),
    }

    def __post_init__(self) -> None:
        if not 0 < self.regularization < np.inf:
            raise ValueError(f"regularization is {self.regularization}; it must be above 0")
        if self.dim is not None and self.dim < 1:
            raise ValueError(f"dim is {self.dim}; it must be at least 1")
        check_weighting(self.weighting)

    @property
    def item_to_item(self) -> bool:
        """Whether the scores are not cut to vectors."""
        return self.dim is None

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Invert; see ``Model.fit``. Nothing is chosen, reported or kept.

        Raises:
            InputError: If the inverse does not fit into memory.
            RecsysError: If the weights are too large to invert.
        """
        check_size(len(train.items), available_bytes())
        ridged = gram(weighted(train, self.weighting))
        if not np.isfinite(ridged.sum()):
            raise RecsysError(TOO_LARGE)
        ridged[np.diag_indices_from(ridged)] += self.regularization
        precision = inverse(ridged)  # P
        weights = np.empty(precision.shape, dtype=np.float32)
        np.divide(precision, -np.diag(precision), out=weights, casting="same_kind")  # column j by P_jj
        np.fill_diagonal(weights, 0)
        if self.dim is None:
            return Fitted(ItemWeights(weights, train.histories(), train.users, train.items))
        history = chosen(train)
        items = _directions(history.astype(np.float32), weights, self.dim)
        inputs = weights @ items
        users = (history @ inputs).astype(np.float32)
        fold_in = FoldIn("sum", {"power": 0.0})
        return Fitted(Embeddings(users, items, train.users, train.items, "dot", inputs, fold_in))


def check_size(items: int, available: int) -> None:
    """Refuse a catalogue whose dense inverse does not fit.

    Raises:
        InputError: With the size.
    """
    needed = BYTES_AN_ENTRY * items**2
    if needed > available:
        raise InputError(
            f"ease inverts a dense matrix of {items:,} x {items:,} items, which takes "
            f"{needed / 2**30:,.1f} GiB; "
            f"{available / 2**30:,.1f} GiB are free: leave rare items out (recsys etl --min-item), "
            "or take item-knn or spectral"
        )


def _directions(history: sparse.csr_array, weights: FloatArray, dim: int) -> FloatArray:
    """The leading right singular vectors (I, D) of the scores ``history @ weights``, which are never made."""
    from scipy.sparse.linalg import aslinearoperator

    scores = aslinearoperator(history) @ aslinearoperator(weights)
    return truncated_svd(scores, dim, ROUNDS, seeds.generator(0, "ease"))[1]


def gram(matrix: sparse.csr_array, at_once: int = ROWS_AT_ONCE) -> npt.NDArray[np.float64]:
    """X'X (I, I) of X (U, I), made in blocks of rows: its sparse form would take more than the dense one."""
    transposed = matrix.T.tocsr()
    whole = np.empty((matrix.shape[1], matrix.shape[1]))
    for start in range(0, len(whole), at_once):
        block = slice(start, min(start + at_once, len(whole)))
        whole[block] = (transposed[block] @ matrix).toarray()
    return whole


def inverse(matrix: npt.NDArray[np.float64], at_once: int = ROWS_AT_ONCE) -> npt.NDArray[np.float64]:
    """Inverse of a symmetric positive definite matrix, in its own place."""
    from scipy.linalg import lapack

    # LAPACK counts rows where numpy counts columns; the matrix is symmetric, so its transpose saves a copy.
    factor, fault = lapack.dpotrf(matrix.T, lower=0, overwrite_a=1, clean=0)
    if fault:
        raise RecsysError(
            f"the matrix that ease inverts is not positive definite (dpotrf {fault}); raise the "
            "regularization, or take weighting none or log1p"
        )
    half, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    whole: npt.NDArray[np.float64] = half.T  # what was computed lies in its lower triangle
    for start in range(0, len(whole), at_once):
        stop = min(start + at_once, len(whole))
        block = whole[start:stop, start:stop]
        below = np.tril(block)
        whole[start:stop, start:stop] = below + np.tril(block, -1).T
        whole[start:stop, stop:] = whole[stop:, start:stop].T
    return whole


def available_bytes() -> int:
    """Memory that can be taken without swapping, at most what a container may; all where nobody says."""
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    limit = _lines(Path("/sys/fs/cgroup/memory.max"))
    return min(free, int(limit[0])) if limit and limit[0].isdigit() else free


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []

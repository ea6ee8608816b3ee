"""The leading singular vectors of the degree-normalised interaction matrix: no training, no user table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from recsys import seeds
from recsys.choosing import Best
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.errors import RecsysError
from recsys.models.model import Fitted, Grid, Report, Validate, silent
from recsys.models.truncated_svd import singular_vectors, subspaces
from recsys.models.weighting import TOO_LARGE, check_weighting, weighted

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class Spectral:
    """Truncated SVD of the degree-normalised interactions; a user is a sum over the history.

    With R (U, I) the weights by ``weighting`` and d the degrees (their sums), ``D_u^-a R D_i^-b = U S V'`` up
    to ``dim`` singular values. A user is served as ``sum of d_i^-b (S / s_1)^p v_i`` over the history and
    item i as ``d_i^(b - discount) v_i``, scored by the inner product; so someone never seen in training is
    served by the same code. At a = b = 1/2, p = 0 and no discount this is the ideal low-pass filter of the
    source; smaller exponents let active users and popular items say more about the directions, p > 0 damps
    the weaker ones, and a discount holds popular items back.

    The SVD is a randomised subspace iteration of ``2 iterations + 1`` passes over the log, each with
    ``dim + 10`` columns. Few rounds leave the vectors a blend of neighbouring directions, and that can serve
    better than the converged ones: where there is a validation set, the vectors are judged after 2, 4, 8, ...
    rounds and the best are kept.

    Args:
        dim: Number of singular vectors D, at least 1; a log of fewer users or items has no more (the rest of
            the vector is 0).
        iterations: Rounds of the subspace iteration, at least 1; the most of them where a validation set
            chooses.
        user_power: a, at least 0.
        item_power: b, at least 0.
        singular_power: p, at least 0.
        discount: How much of item_power popular items are not given back.
        weighting: What R is: raw (the weights of the log), none (1), log1p or bm25; see
            ``recsys.models.weighting``. The history that is summed over has no weights.
        seed: Of the start.

    Raises:
        ValueError: If ``dim`` or ``iterations`` is below 1, or a power below 0.

    Source: Halko, Martinsson and Tropp 2011, Finding structure with randomness, algorithm 4.4; the
    normalisation is that of spectral clustering (Dhillon 2001), and the score the ideal low-pass filter of
    Shen et al. 2021, How powerful is graph convolution for recommendation, section 4.2. The powers were
    chosen by ndcg@20 on a tenth of train of the four fixed splits (`benchmarks/ARCHIVE.md`).
    """

    dim: int = 64
    iterations: int = 16
    user_power: float = 0.3
    item_power: float = 0.4
    singular_power: float = 0.25
    discount: float = 0.1
    weighting: str = "raw"
    seed: int = 0

    # Four fits where weights differ; the number of rounds is settled within a fit.
    grid: ClassVar[Grid] = {"weighting": ("none", "raw", "log1p", "bm25")}

    def __post_init__(self) -> None:
        for name, value in (("dim", self.dim), ("iterations", self.iterations)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        for name in ("user_power", "item_power", "singular_power"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 0")
        check_weighting(self.weighting)

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Decompose; see ``Model.fit``. ``iterations`` is chosen by ``validate`` where that is given."""
        weights = weighted(train, self.weighting)
        degree = _divisible(np.asarray(weights.sum(axis=0)).ravel())  # (I,)
        activity = _divisible(np.asarray(weights.sum(axis=1)).ravel())  # (U,)
        normalised = _scaled(weights, activity**-self.user_power, degree**-self.item_power)
        history = _ones(weights)
        best = Best[tuple[int, Embeddings]]()
        transposed, rng = normalised.T.tocsr(), seeds.generator(self.seed, "spectral")
        for step, basis in subspaces(normalised, transposed, self.dim, self.iterations, rng):
            if validate is None:
                report(step, {})
            if step < self.iterations and (validate is None or step < 2 or step & (step - 1)):
                continue
            values, right = singular_vectors(normalised, basis, self.dim)
            inputs = right * (values / values[0]) ** self.singular_power / degree[:, None] ** self.item_power
            items = right * degree[:, None] ** (self.item_power - self.discount)
            scorer = _embeddings(train, history, inputs, items)
            if validate is None:
                return Fitted(scorer)
            score = validate(scorer)
            report(step, {"valid": score})
            best.judge((step, scorer), score)
        assert best.found is not None, "the last round is judged"
        iterations, scorer = best.found
        return Fitted(scorer, {"iterations": iterations})


def _embeddings(
    train: Interactions, history: sparse.csr_array, inputs: npt.NDArray[Any], items: npt.NDArray[Any]
) -> Embeddings:
    """Vectors (I, D) that histories are summed over, and those of the items, to serve."""
    inputs, items = (np.ascontiguousarray(each, dtype=np.float32) for each in (inputs, items))
    users = np.ascontiguousarray(history @ inputs)
    return Embeddings(users, items, train.users, train.items, "dot", inputs, FoldIn("sum", {"power": 0.0}))


def _divisible(degree: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Degrees, with 1 for someone or something without interactions, to divide by."""
    if not np.isfinite(degree).all():
        raise RecsysError(TOO_LARGE)
    return np.where(degree > 0, degree, 1).astype(np.float32)


def _scaled(
    matrix: sparse.csr_array, rows: npt.NDArray[np.float32], columns: npt.NDArray[np.float32]
) -> sparse.csr_array:
    scaled = matrix.copy()
    scaled.data *= np.repeat(rows, np.diff(scaled.indptr)) * columns[scaled.indices]
    return scaled


def _ones(matrix: sparse.csr_array) -> sparse.csr_array:
    ones = matrix.copy()
    ones.data[:] = 1.0
    return ones

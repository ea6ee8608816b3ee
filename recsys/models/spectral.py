"""The leading singular vectors of the degree-normalised interaction matrix: no training, no user table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsys import seeds
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.models.model import Fitted, Report, Validate, silent
from recsys.models.subspace import singular_vectors, subspaces

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class Spectral:
    """Truncated SVD of the degree-normalised interactions; a user is a sum over the history.

    With R (U, I) the weights, ``D_u^-1/2 R D_i^-1/2 = U S V'`` up to ``dim`` singular values; item i is
    served as ``sqrt(d_i) v_i`` and a user as ``sum of v_i / sqrt(d_i)`` over the history, scored by the inner
    product. So someone never seen in training is served by the same code.

    The SVD is a randomised subspace iteration of ``2 iterations + 1`` passes over the log, each with
    ``dim + 10`` columns. Few rounds leave the vectors a blend of neighbouring directions, and that can serve
    better than the converged ones: where there is a valid part, the vectors are judged after 2, 4, 8, ...
    rounds and the best are kept.

    Args:
        dim: Number of singular vectors D, at least 1; a log of fewer users or items has no more (the rest of
            the vector is 0).
        iterations: Rounds of the subspace iteration, at least 1; the most of them where a valid part chooses.
        seed: Of the start.

    Raises:
        ValueError: If ``dim`` or ``iterations`` is below 1.

    Source: Halko, Martinsson and Tropp 2011, Finding structure with randomness, algorithm 4.4; the
    normalisation is that of spectral clustering (Dhillon 2001), and the score the ideal low-pass filter of
    Shen et al. 2021, How powerful is graph convolution for recommendation, section 4.2.
    """

    dim: int = 64
    iterations: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("dim", self.dim), ("iterations", self.iterations)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")

    def fit(
        self,
        train: Interactions,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Decompose; see ``Model.fit``. ``iterations`` is chosen by ``validate`` where that is given."""
        weights = train.csr()
        degree = _divisible(np.asarray(weights.sum(axis=0)).ravel())  # (I,)
        activity = _divisible(np.asarray(weights.sum(axis=1)).ravel())  # (U,)
        normalised = _scaled(weights, activity**-0.5, degree**-0.5)
        history = _ones(weights)
        best: tuple[float, int, Embeddings] | None = None
        transposed, rng = normalised.T.tocsr(), seeds.generator(self.seed, "spectral")
        for step, basis in subspaces(normalised, transposed, self.dim, self.iterations, rng):
            if validate is None:
                report(step, {})
            if step < self.iterations and (validate is None or step < 2 or step & (step - 1)):
                continue
            _, right = singular_vectors(normalised, basis, self.dim)
            scorer = _embeddings(train, history, right, np.sqrt(degree))
            if validate is None:
                return Fitted(scorer)
            score = validate(scorer)
            report(step, {"valid": score})
            if best is None or score > best[0]:
                best = score, step, scorer
        assert best is not None
        return Fitted(best[2], {"iterations": best[1]})


def _embeddings(
    train: Interactions,
    history: sparse.csr_array,
    right: npt.NDArray[np.float32],
    scale: npt.NDArray[np.float32],
) -> Embeddings:
    """V (I, D) and the square roots of the degrees (I,) as vectors to serve."""
    inputs = np.ascontiguousarray(right / scale[:, None])
    return Embeddings(
        np.ascontiguousarray(history @ inputs),
        np.ascontiguousarray(right * scale[:, None]),
        train.users,
        train.items,
        "dot",
        inputs,
        FoldIn("sum", {"power": 0.0}),
    )


def _divisible(degree: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Degrees, with 1 for someone or something without interactions, to divide by."""
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

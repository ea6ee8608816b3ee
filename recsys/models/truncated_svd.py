"""The leading singular vectors of a large matrix, by a randomised subspace iteration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse
    from scipy.sparse.linalg import LinearOperator

# More vectors than asked for make the subspace converge faster; they are thrown away.
EXTRA: Final = 10
# A squared singular value below this share of the largest is rounding of float32.
NOISE: Final = 1e-10


def subspaces(
    matrix: sparse.csr_array | LinearOperator,
    transposed: sparse.csr_array | LinearOperator,
    dim: int,
    iterations: int,
    rng: np.random.Generator,
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Round and orthonormal basis (I, D + 10) of the leading right singular vectors (U, I), round by round.

    Source: Halko, Martinsson and Tropp 2011, Finding structure with randomness, algorithm 4.4.
    """
    from scipy.linalg import qr

    columns = min(dim + EXTRA, *matrix.shape)
    basis = rng.standard_normal((matrix.shape[1], columns)).astype(np.float32)
    for step in range(1, iterations + 1):
        basis, _ = qr(transposed @ (matrix @ basis), mode="economic", overwrite_a=True)
        yield step, basis


def singular_vectors(
    matrix: sparse.csr_array | LinearOperator, basis: npt.NDArray[np.float32], dim: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Singular values (D,) and right vectors V (I, D), largest first, within a basis (Rayleigh-Ritz).

    Values and columns past the rank are 0. A vector and its opposite are one: the largest entry is positive.
    """
    from scipy.linalg import eigh

    rank = min(dim, *matrix.shape)
    image = (matrix @ basis).astype(np.float64)  # (U, D + 10)
    squares, vectors = eigh(image.T @ image)  # ascending squares of singular values
    squares, vectors = squares[::-1][:rank], vectors[:, ::-1][:, :rank]
    real = squares > NOISE * squares[0]
    values: npt.NDArray[Any] = np.zeros(dim)
    values[:rank] = np.sqrt(np.where(real, squares, 0.0))
    right = np.zeros((matrix.shape[1], dim), dtype=np.float32)
    right[:, :rank] = (basis @ vectors) * real
    largest = np.abs(right).argmax(axis=0)
    right *= np.where(right[largest, np.arange(dim)] < 0, -1, 1)
    return values, right


def truncated_svd(
    matrix: LinearOperator, dim: int, iterations: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """``singular_vectors`` after so many rounds, of a matrix that is never made."""
    *_, (_, basis) = subspaces(matrix, matrix.T, dim, iterations, rng)
    return singular_vectors(matrix, basis, dim)

"""Where the vectors of a model that learns in steps may start, beside chance."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys import seeds
from recsys.choosing import choose
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.models.model import Validate
from recsys.models.spectral import Spectral
from recsys.models.truncated_svd import truncated_svd
from recsys.models.weighting import weighted
from recsys.storage.arrays import FloatArray

STARTS: Final = ("normal", "spectral", "pca")
ROUNDS: Final = 16
# In order of preference; BM25 starts worse than these on every log that was tried.
TRIED: Final = ("raw", "none", "log1p")


def start(kind: str, train: Interactions, dim: int, seed: int, weighting: str = "raw") -> Embeddings | None:
    """What vectors start from, as it serves users before any training; None where they are left random.

    ``normal``: None. ``spectral``: what the model ``spectral`` serves. ``pca``: see ``principal``; users are
    scores, items and inputs are loadings.

    Args:
        kind: One of ``STARTS``.
        train: The log.
        dim: D.
        seed: Of the subspace iteration.
        weighting: What replaces the weights of the log; see ``recsys.models.weighting``.
    """
    if kind == "normal":
        return None
    if kind == "spectral":
        served = Spectral(dim, ROUNDS, weighting=weighting, seed=seed).fit(train).scorer
        assert isinstance(served, Embeddings)
        return served
    users, items = principal(train, dim, seed, weighting)
    return Embeddings(users, items, train.users, train.items, "dot", items, FoldIn("sum", {"power": 0.0}))


def best_weighting(
    kind: str, train: Interactions, dim: int, seed: int, validate: Validate
) -> tuple[str, Embeddings]:
    """The start that serves best by itself, raw weights unless others in ``TRIED`` are clearly better.

    Each is a decomposition, which is little beside a training.
    """
    begun = {weighting: start(kind, train, dim, seed, weighting) for weighting in TRIED}
    found = [(weighting, each) for weighting, each in begun.items() if each is not None]
    return choose(found, lambda each: validate(each[1]))


def scaled(vectors: FloatArray, *, unit_rows: bool) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Vectors (n, D) of expected length 1, and which of them (n,) are not zero.

    A row of zeros (an item that nobody chose) is to be left random; columns past the rank of the log are 0
    for all, and are left random too.

    Args:
        vectors: (n, D).
        unit_rows: Whether each row is scaled to length 1, as only its angle counts, and not the table.
    """
    squares: npt.NDArray[Any] = np.square(vectors, dtype=np.float64).sum(axis=1)  # (n,)
    there = squares > 0
    scale = np.sqrt(np.where(there, squares, 1.0))[:, None] if unit_rows else np.sqrt(squares.mean() or 1.0)
    return np.asarray(vectors / scale, dtype=np.float32), there


def principal(
    train: Interactions, dim: int, seed: int, weighting: str = "raw"
) -> tuple[FloatArray, FloatArray]:
    """Principal components of the users' rows: their scores (U, D), and the loadings of the items (I, D).

    With X (U, I) the weights, 0 where there is none, and m (I,) its column means, ``X - 1 m' = U S V'`` up to
    ``dim`` singular values; the scores are ``(X - 1 m') V = U S`` and the loadings V. Nothing is made dense.

    Source: Jolliffe 2002, Principal Component Analysis, section 3.5, the decomposition that components are
    computed by.
    """
    from scipy.sparse.linalg import aslinearoperator

    weights = weighted(train, weighting)
    means = np.asarray(weights.mean(axis=0), dtype=np.float32).reshape(1, -1)  # (1, I)
    ones = np.ones((weights.shape[0], 1), dtype=np.float32)
    centred = aslinearoperator(weights) - aslinearoperator(ones) @ aslinearoperator(means)
    _, loadings = truncated_svd(centred, dim, ROUNDS, seeds.generator(seed, "pca"))
    return np.asarray(centred @ loadings, dtype=np.float32), loadings

"""Vectors of several models as one vector per user and one per item, scored by the inner product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.errors import InputError
from recsys.models.item_scores import chosen
from recsys.models.model import Validate
from recsys.storage.arrays import FloatArray

# Distances that can be written as an inner product.
JOINABLE: Final = ("dot", "cosine", "euclidean", "squared_euclidean")

Matrix = npt.NDArray[np.float64]

# Histories are summed over the root of their length: between the sum and the mean, as most towers do.
POWER: Final = 0.5
# Ridge of the map from histories to users, and the share of the largest singular value taken for zero.
RIDGE: Final = 1e-3
NOISE: Final = 1e-6
# Rows that are worked on at a time.
BLOCK: Final = 2**16


@dataclass(frozen=True, slots=True)
class DotVectors:
    """One model's vectors such that ``users @ items.T`` ranks as the model does, with spread 1 per user.

    Args:
        users: (U, D).
        items: (I, D), of mean 0.
        inputs: (I, D) what the history of a user is summed over.
    """

    users: Matrix
    items: Matrix
    inputs: Matrix

    @classmethod
    def of(cls, model: Embeddings) -> DotVectors:
        """Bring a model to the inner product, centre its items, and divide its users by their spread.

        Subtracting the mean item changes all scores of a user by one number, which no ranking sees. The
        spread of a user, the standard deviation of the scores over all items, is then ``sqrt(u' C u)`` with C
        the second moment of the items.

        Raises:
            InputError: If the model's distance cannot be written as an inner product.
        """
        users, items = as_dot(model)
        given = items if model.inputs is None else model.inputs.astype(np.float64)
        items = items - items.mean(axis=0)
        spread = np.sqrt(np.maximum(((users @ (items.T @ items / len(items))) * users).sum(axis=1), 0))
        # Someone without interactions may have the scores of rounding only: those are not blown up.
        return cls(users / np.where(spread > NOISE * spread.max(), spread, 1)[:, None], items, given)


def join(
    parts: Sequence[DotVectors], weights: Sequence[float], dim: int | None, train: Interactions
) -> Embeddings:
    """Put vectors side by side, so that the score is the weighted sum of the parts' scores.

    With ``dim``, the joined score ``S = U V'`` is cut to its nearest matrix of that rank: with ``U = Q R``
    and ``V = Q' R'``, the singular value decomposition of S follows from that of the small core ``R R'^T``.

    Source: Eckart and Young 1936 for the cut.
    """
    kept = [(weight, part) for weight, part in zip(weights, parts, strict=True) if weight > 0]
    users = np.hstack([part.users for _, part in kept])
    users *= np.repeat([weight for weight, _ in kept], [part.users.shape[1] for _, part in kept])
    items = np.hstack([part.items for _, part in kept])
    if dim is not None and dim < items.shape[1]:
        users, items = _cut(users, items, dim)
    return Embeddings(_small(users), _small(items), train.users, train.items, "dot")


def with_fold_in(model: Embeddings, inputs: Matrix, train: Interactions, block: int = BLOCK) -> Embeddings:
    """The same model with a way to serve a history: ``sum of M' inputs / sqrt(length)``.

    M maps the inputs (I, E) linearly, so that training users come out nearest to their vectors (ridge
    regression).
    """
    mapped = inputs @ _history_map(inputs, model.users, train, block)
    return replace(model, inputs=_small(mapped), fold_in=FoldIn("sum", {"power": POWER}))


def judged(model: Embeddings, inputs: Callable[[], Matrix], train: Interactions, by: Validate) -> float:
    """The score of a candidate; with its way to serve a history where the judge asks by that.

    The map from histories takes about as long as a validation, so it is made for those who ask only.
    """
    return by(with_fold_in(model, inputs(), train) if getattr(by, "folds_in", False) else model)


def _small(vectors: Matrix) -> FloatArray:
    return np.ascontiguousarray(vectors, dtype=np.float32)


def as_dot(model: Embeddings) -> tuple[Matrix, Matrix]:
    """Vectors (U, D) and (I, D) whose inner product orders the items of each user as the model does.

    Raises:
        InputError: If the model's distance cannot be written as an inner product.
    """
    if model.distance not in JOINABLE:
        raise InputError(not_joinable(model.distance))
    users, items = model.users.astype(np.float64), model.items.astype(np.float64)
    if model.distance == "dot":
        return users, items
    if model.distance == "cosine":
        return _unit(users), _unit(items)
    # -|u - v|^2 = 2 u.v - |v|^2 - |u|^2, and the last is one number per user.
    ones = np.ones((len(users), 1))
    return np.hstack([2 * users, -ones]), np.hstack([items, (items**2).sum(axis=1, keepdims=True)])


def not_joinable(distance: str) -> str:
    """What is wrong with a distance that is not among ``JOINABLE``."""
    return (
        f"the score of a model of distance {distance} is not an inner product, which joining needs; "
        f"train it with {', '.join(JOINABLE)}"
    )


def served_distance(name: str) -> str:
    """The distance of the finished vectors of a model that is trained in one.

    Example:
        >>> served_distance("mahalanobis"), served_distance("cosine")
        ('euclidean', 'cosine')
    """
    return str(plugins.part("distances", name).constants.get("served", name))


def _unit(vectors: Matrix) -> Matrix:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _cut(users: Matrix, items: Matrix, dim: int) -> tuple[Matrix, Matrix]:
    """Factors of rank ``dim`` of ``users @ items.T``, the singular values shared evenly."""
    of_users, of_items = triangle(users), triangle(items)  # (r, D), (q, D)
    left, values, right = np.linalg.svd(of_users @ of_items.T, full_matrices=False)
    rank = min(dim, int((values > NOISE * values[0]).sum()))
    root = values[:rank] ** -0.5
    cut = users @ (of_items.T @ right[:rank].T * root), items @ (of_users.T @ left[:, :rank] * root)
    if rank == dim:
        return cut
    return np.pad(cut[0], ((0, 0), (0, dim - rank))), np.pad(cut[1], ((0, 0), (0, dim - rank)))


def triangle(vectors: Matrix, block: int = BLOCK) -> Matrix:
    """R of the QR decomposition of vectors (n, D), a block of rows at a time: no copy of all of them is made.

    Source: Demmel et al. 2012, Communication-optimal parallel and sequential QR (sequential TSQR).
    """
    found = vectors[:0]
    for first in range(0, len(vectors), block):
        rows = np.vstack([found, vectors[first : first + block]])
        found = np.asarray(np.linalg.qr(rows, mode="r"), dtype=np.float64)
    return found


def _history_map(inputs: Matrix, users: FloatArray, train: Interactions, block: int) -> Matrix:
    """The map M that makes ``(sum of inputs over the history / sqrt(length)) M`` nearest to the users."""
    history = chosen(train)
    lengths = np.maximum(np.diff(history.indptr), 1)
    gram, cross = np.zeros((inputs.shape[1],) * 2), np.zeros((inputs.shape[1], users.shape[1]))
    for first in range(0, len(users), block):
        some = slice(first, first + block)
        sums = (history[some].astype(np.float64) @ inputs) / lengths[some, None] ** POWER  # (b, E)
        gram += sums.T @ sums
        cross += sums.T @ users[some]
    ridge = RIDGE * max(float(np.trace(gram)) / len(gram), 1e-300)
    return np.asarray(np.linalg.solve(gram + ridge * np.eye(len(gram)), cross), dtype=np.float64)

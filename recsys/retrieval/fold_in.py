"""The vectors of users never seen in training, from the items of their histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recsys import plugins
from recsys.embeddings import FoldIn
from recsys.errors import InputError, RecsysError
from recsys.ragged import Ragged
from recsys.storage.arrays import Codes, FloatArray

Gram = Callable[[], npt.NDArray[np.float64]]


class Foldable(Protocol):
    """What a history is folded into: ``Stored`` and ``Embeddings`` are such models."""

    @property
    def items(self) -> FloatArray:
        """(I, D)."""
        ...

    @property
    def inputs(self) -> FloatArray | None:
        """(I, D) input vectors, where a user is a sum over them."""
        ...

    @property
    def distance(self) -> str:
        """Name of the distance."""
        ...

    @property
    def fold_in(self) -> FoldIn:
        """How a history becomes a vector."""
        ...


def fold_in(model: Foldable, history: Codes, gram: Gram | None = None) -> FloatArray:
    """The user vector (D,) of one history; see ``fold_in_all``.

    Args:
        model: Mapped embeddings.
        history: Item codes, the newest last; an item that occurs twice counts once, as the newer.
        gram: Y'Y (D, D) where the caller keeps it; made from all items otherwise.

    Raises:
        InputError: If the history is empty.
        RecsysError: If the model asks for a form or an option this version does not know.
    """
    newest = np.asarray(history)[::-1]
    codes = newest[np.sort(np.unique(newest, return_index=True)[1])][::-1]
    if len(codes) == 0:
        raise InputError(
            "the history holds no item of this run; give at least one that the run was trained on"
        )
    vector: FloatArray = fold_in_all(model, Ragged(np.array([0, len(codes)]), codes), gram)[0]
    return vector


def fold_in_all(model: Foldable, histories: Ragged, gram: Gram | None = None) -> FloatArray:
    """The user vectors (n, D) of n histories, in the form the model asks for (``model.fold_in``).

    * ``mean``: ``sum(items[h]) / |H|``, of unit vectors where the score is a cosine.
    * ``sum``: ``sum(d_h inputs[h]) / sum(d_h) ** power``; the decay d_h is 1, or with a half-life
      ``position`` in items ``0.5 ** (items that are newer / position)``. The newest ``longest`` count.
    * ``least_squares``: ``(Y'Y + (alpha - 1) Y_H'Y_H + regularization I)^-1 alpha Y_H' 1``, one half step of
      alternating least squares with the items Y held.

    Args:
        model: Embeddings.
        histories: Item codes of n users, the newest last and each once. An empty history gives the vector 0.
        gram: Y'Y (D, D) where the caller keeps it; made from all items otherwise.

    Raises:
        RecsysError: If the model asks for a form or an option this version does not know.

    Source: Hu, Koren, Volinsky 2008, Collaborative Filtering for Implicit Feedback Datasets, equation 4, with
    the confidence ``alpha r`` that ``implicit`` uses in place of ``1 + alpha r``.
    """
    form = _form(model, gram)
    vectors = np.zeros((len(histories), model.items.shape[1]), dtype=np.float32)
    for row in np.flatnonzero(np.diff(histories.indptr)):
        vectors[row] = form(histories.indices[histories.indptr[row] : histories.indptr[row + 1]])
    return vectors


# Codes (H,) of a history that is not empty, the newest last -> (D,); what all histories share is made before.
_Form = Callable[[Codes], npt.NDArray[np.floating]]


def _form(model: Foldable, gram: Gram | None) -> _Form:
    options = model.fold_in.options
    try:
        match model.fold_in.name:
            case "mean":
                return _mean(model)
            case "sum":
                return _sum(model, options["power"], options)
            case "least_squares":
                total = gram_of(model.items) if gram is None else gram()
                return _least_squares(model.items, total, options["alpha"], options["regularization"])
            case other:
                raise RecsysError(
                    f"the model folds users in by {other!r}; this version knows mean, sum, least_squares"
                )
    except KeyError as error:
        raise RecsysError(f"fold-in {model.fold_in.name!r} lacks its option {error}; train again") from error


def _mean(model: Foldable) -> _Form:
    bounded = plugins.make("distances", model.distance).bounded

    def form(codes: Codes) -> npt.NDArray[np.floating]:
        vectors = model.items[codes].astype(np.float64)  # (H, D)
        if bounded:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        mean: npt.NDArray[np.floating] = vectors.mean(axis=0)
        return mean

    return form


def _sum(model: Foldable, power: float, options: Mapping[str, float]) -> _Form:
    """The tower ``history``."""
    inputs = model.items if model.inputs is None else model.inputs
    position, longest = options.get("position", np.inf), options.get("longest")

    def form(codes: Codes) -> npt.NDArray[np.floating]:
        codes = codes if longest is None else codes[-int(longest) :]
        decay = 0.5 ** (np.arange(len(codes))[::-1] / position)
        total: npt.NDArray[np.floating] = decay @ inputs[codes].astype(np.float64)
        vector: npt.NDArray[np.floating] = total / decay.sum() ** power
        return vector

    return form


def _least_squares(
    items: FloatArray, gram: npt.NDArray[np.float64], alpha: float, regularization: float
) -> _Form:
    free = gram + regularization * np.eye(len(gram))

    def form(codes: Codes) -> npt.NDArray[np.floating]:
        chosen = items[codes].astype(np.float64)  # (H, D)
        left = free + (alpha - 1.0) * chosen.T @ chosen
        solved: npt.NDArray[np.floating] = np.linalg.solve(left, alpha * chosen.sum(axis=0))
        return solved

    return form


def gram_of(items: FloatArray, block: int = 65_536) -> npt.NDArray[np.float64]:
    """Y'Y (D, D), summed over blocks of items so that a mapped file is never copied whole."""
    total = np.zeros((items.shape[1], items.shape[1]))
    for start in range(0, len(items), block):
        part = items[start : start + block]
        total += part.T @ part
    return total

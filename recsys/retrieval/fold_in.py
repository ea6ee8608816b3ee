"""The vector of a user never seen in training, from the items of a history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from recsys import plugins
from recsys.arrays import Codes, FloatArray
from recsys.embeddings import Stored
from recsys.errors import InputError, RecsysError

Gram = Callable[[], npt.NDArray[np.float64]]


def fold_in(model: Stored, history: Codes, gram: Gram | None = None) -> FloatArray:
    """The user vector (D,) of a history, in the form the model asks for (``model.fold_in``).

    * ``mean``: ``sum(items[h]) / |H|``, of unit vectors where the score is a cosine.
    * ``sum``: ``sum(d_h inputs[h]) / sum(d_h) ** power``; the decay d_h is 1, or with a half-life
      ``position`` in items ``0.5 ** (items that are newer / position)``. The newest ``longest`` count.
    * ``least_squares``: ``(Y'Y + (alpha - 1) Y_H'Y_H + regularization I)^-1 alpha Y_H' 1``, one half step of
      alternating least squares with the items Y held.

    Args:
        model: Mapped embeddings.
        history: Item codes, the newest last; an item that stands twice counts once, as the newer.
        gram: Y'Y (D, D) where the caller keeps it; made from all items otherwise.

    Raises:
        InputError: If the history is empty.
        RecsysError: If the model asks for a form or an option this version does not know.

    Source: Hu, Koren, Volinsky 2008, Collaborative Filtering for Implicit Feedback Datasets, equation 4, with
    the confidence ``alpha r`` that ``implicit`` uses in place of ``1 + alpha r``.
    """
    newest = np.asarray(history)[::-1]
    codes = newest[np.sort(np.unique(newest, return_index=True)[1])]
    if len(codes) == 0:
        raise InputError(
            "the history holds no item of this run; give at least one that the run was trained on"
        )
    options = dict(model.fold_in.options)
    try:
        match model.fold_in.name:
            case "mean":
                vector = _mean(model, codes)
            case "sum":
                vector = _sum(model, codes, options)
            case "least_squares":
                vector = _least_squares(model.items, codes, options["alpha"], options["regularization"], gram)
            case other:
                raise RecsysError(
                    f"the model folds users in by {other!r}; this version knows mean, sum, least_squares"
                )
    except KeyError as error:
        raise RecsysError(f"fold-in {model.fold_in.name!r} lacks its option {error}; train again") from error
    return np.asarray(vector, dtype=np.float32)


def _sum(model: Stored, codes: Codes, options: Mapping[str, float]) -> npt.NDArray[np.floating]:
    """The tower ``history`` of items, the newest first."""
    inputs = model.items if model.inputs is None else model.inputs
    power, longest = options["power"], int(options.get("longest", len(codes)))
    decay = 0.5 ** (np.arange(min(len(codes), longest)) / options.get("position", np.inf))
    vector: npt.NDArray[np.floating] = decay @ inputs[codes[:longest]].astype(np.float64)
    vector /= decay.sum() ** power
    return vector


def gram_of(items: FloatArray, block: int = 65_536) -> npt.NDArray[np.float64]:
    """Y'Y (D, D), summed over blocks of items so that a mapped file is never copied whole."""
    total = np.zeros((items.shape[1], items.shape[1]))
    for start in range(0, len(items), block):
        part = items[start : start + block]
        total += part.T @ part
    return total


def _mean(model: Stored, codes: Codes) -> npt.NDArray[np.floating]:
    vectors = model.items[codes].astype(np.float64)
    if plugins.make("distances", model.distance).bounded:
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    mean: npt.NDArray[np.floating] = vectors.mean(axis=0)
    return mean


def _least_squares(
    items: FloatArray, codes: Codes, alpha: float, regularization: float, gram: Gram | None
) -> npt.NDArray[np.floating]:
    chosen = items[codes].astype(np.float64)  # (H, D)
    total = gram_of(items) if gram is None else gram()
    left = total + (alpha - 1.0) * chosen.T @ chosen + regularization * np.eye(items.shape[1])
    solved: npt.NDArray[np.floating] = np.linalg.solve(left, alpha * chosen.sum(axis=0))
    return solved

"""The vectors of users never seen in training, from the items of their histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from recsys import plugins
from recsys.arrays import Codes, FloatArray, IntArray
from recsys.embeddings import FoldIn
from recsys.errors import InputError, RecsysError
from recsys.item_weights import Ragged

Gram = Callable[[], npt.NDArray[np.float64]]
Vectors = npt.NDArray[np.float64]

# Numbers of gathered item vectors that are held at once: 32 MB of float64.
GATHERED: Final = 1 << 22


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
        history: Item codes, the newest last; an item that stands twice counts once, as the newer.
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
    dim = model.items.shape[1]
    vectors = np.zeros((len(histories), dim), dtype=np.float32)
    filled = np.flatnonzero(np.diff(histories.indptr))
    lengths = np.diff(histories.indptr)[filled]
    for block in _blocks(lengths, max(1, GATHERED // dim)):
        places = histories.positions(filled[block])
        vectors[filled[block]] = form(histories.indices[places], lengths[block])
    return vectors


# Codes (T,) of histories laid end to end and their lengths (n,), none of them 0 -> (n, D).
_Form = Callable[[Codes, IntArray], Vectors]


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

    def form(codes: Codes, lengths: IntArray) -> Vectors:
        vectors = model.items[codes].astype(np.float64)  # (T, D)
        if bounded:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return _added(vectors, lengths) / lengths[:, None]

    return form


def _sum(model: Foldable, power: float, options: Mapping[str, float]) -> _Form:
    """The tower ``history``."""
    inputs = model.items if model.inputs is None else model.inputs
    longest, position = options.get("longest", np.inf), options.get("position", np.inf)

    def form(codes: Codes, lengths: IntArray) -> Vectors:
        newer = np.repeat(np.cumsum(lengths), lengths) - 1 - np.arange(len(codes))  # (T,)
        decay = np.where(newer < longest, 0.5 ** (newer / position), 0.0)
        mass = _added(decay, lengths)
        return _added(inputs[codes] * decay[:, None], lengths) / mass[:, None] ** power

    return form


def _least_squares(items: FloatArray, gram: Vectors, alpha: float, regularization: float) -> _Form:
    free = gram + regularization * np.eye(len(gram))

    def form(codes: Codes, lengths: IntArray) -> Vectors:
        solved = np.empty((len(lengths), len(gram)))
        for row, end in enumerate(np.cumsum(lengths)):
            chosen = items[codes[end - lengths[row] : end]].astype(np.float64)  # (H, D)
            left = free + (alpha - 1.0) * chosen.T @ chosen
            solved[row] = np.linalg.solve(left, alpha * chosen.sum(axis=0))
        return solved

    return form


def _added(values: npt.NDArray[np.floating], lengths: IntArray) -> Vectors:
    """Sums (n, ...) over runs of ``lengths`` rows, none of them 0."""
    total: Vectors = np.add.reduceat(values, np.cumsum(lengths) - lengths, axis=0)
    return total


def _blocks(lengths: IntArray, most: int) -> Iterator[slice]:
    """Runs of histories with ``most`` items together, or one that alone is longer."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield slice(start, stop)
        start = stop


def gram_of(items: FloatArray, block: int = 65_536) -> npt.NDArray[np.float64]:
    """Y'Y (D, D), summed over blocks of items so that a mapped file is never copied whole."""
    total = np.zeros((items.shape[1], items.shape[1]))
    for start in range(0, len(items), block):
        part = items[start : start + block]
        total += part.T @ part
    return total

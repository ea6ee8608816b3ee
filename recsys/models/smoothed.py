"""Vectors of a model, smoothed over the graph of interactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsys.choosing import choose
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.models.composition import fit_nested, nested_vectors
from recsys.models.item_scores import chosen
from recsys.models.joining import JOINABLE, as_dot, judged, with_fold_in
from recsys.models.model import Fitted, Report, Validate, silent

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class Smoothed:
    """A model whose vectors are smoothed over the graph of interactions, see ``best_hops``.

    Args:
        of: The model: its name, or name and options. It must make vectors whose score is an inner product.
        hops: Steps over the graph: at most, with validation, exactly without.
        seed: Of the model, where that sets none.

    Source: He et al. 2020, LightGCN, equations 3 and 4, applied after training.
    """

    of: str | Mapping[str, Any] = "als"
    hops: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.hops < 0:
            raise ValueError(f"hops is {self.hops}; it must not be negative")
        nested_vectors(self.of, self.seed)

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Fit the model and smooth its vectors; see ``Model.fit``."""
        model, settled = fit_nested(
            self.of, self.seed, train, features, validate=validate, report=report, checkpoints=checkpoints
        )
        hops, scorer = best_hops(model, train, self.hops, validate)
        return Fitted(scorer, {"of": settled, "hops": hops})


def best_hops(
    model: Embeddings, train: Interactions, hops: int, validate: Validate | None
) -> tuple[int, Embeddings]:
    """The model after so many steps over the graph, at most ``hops``, chosen on the validation set.

    With A (U, I) the degree-normalised interactions ``D_u^-1/2 R D_i^-1/2``, R being 1 where the user chose
    the item, ``E_u^(k+1) = A E_i^(k)`` and ``E_i^(k+1) = A' E_u^(k)`` from the finished vectors ``E^(0)``
    (unit vectors where the model's score is a cosine), and ``e = sum of E^(0..hops)``. The result is one
    vector per user and one per item, scored by the inner product: made unit vectors again, they would lose
    what propagation says about degrees, and rank worse than before. Nothing is trained through the graph.

    Args:
        model: Finished vectors; they are left as they are where their score is no inner product.
        train: What they were fitted on.
        hops: Steps, at most; exactly, without ``validate``.
        validate: Judges every number of steps from 0, which is the model itself; more are taken only where
            they are clearly better.

    Returns:
        The number of steps and the model after them.

    Source: He et al. 2020, LightGCN, equations 3 and 4 with equal weights of the layers, applied after
    training in place of during it.
    """
    if hops == 0 or model.distance not in JOINABLE:
        return 0, model
    steps = list(smoothed(model, train, hops))
    best = hops
    if validate is not None:

        def quality(step: int) -> float:
            if step == 0:
                return validate(model)
            return judged(steps[step], lambda: _inputs(model, train), train, validate)

        best = choose(range(len(steps)), quality)
    if best == 0:
        return 0, model
    return best, with_fold_in(steps[best], _inputs(model, train), train)


def smoothed(model: Embeddings, train: Interactions, hops: int) -> Iterator[Embeddings]:
    """The model itself, then after 1, 2, ... steps."""
    yield model
    graph = _normalised(train)
    back = graph.T.tocsr()
    users, items = (each.astype(np.float32) for each in as_dot(model))
    total_users, total_items = users, items
    for _ in range(hops):
        users, items = graph @ items, back @ users
        total_users, total_items = total_users + users, total_items + items
        yield Embeddings(total_users, total_items, train.users, train.items, "dot")


def _inputs(model: Embeddings, train: Interactions) -> npt.NDArray[np.float64]:
    """What a history may be summed over: the model's own inputs, and what one step brings from the items."""
    items = as_dot(model)[1]
    own = items if model.inputs is None else model.inputs
    counts = np.maximum(np.bincount(chosen(train).indices, minlength=len(items)), 1)
    return np.hstack([own, items / np.sqrt(counts)[:, None]])


def _normalised(train: Interactions) -> sparse.csr_array:
    """D_u^-1/2 R D_i^-1/2 (U, I) float32."""
    graph = chosen(train)
    lengths = np.diff(graph.indptr)
    counts = np.bincount(graph.indices, minlength=graph.shape[1])
    graph.data = (np.repeat(lengths, lengths) * counts[graph.indices]).astype(np.float32) ** -0.5
    return graph

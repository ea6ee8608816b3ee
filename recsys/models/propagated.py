"""Vectors of any model, smoothed over the graph of interactions once they are finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.histories import chosen
from recsys.models.joining import as_dot, with_fold_in
from recsys.models.model import Fitted, Report, Validate, silent
from recsys.models.nested import named, nested

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class Propagated:
    """Light propagation: each point becomes the sum of what 0..hops steps over the graph bring to it.

    With A (U, I) the degree-normalised interactions ``D_u^-1/2 R D_i^-1/2``, R being 1 where the user chose
    the item, ``E_u^(k+1) = A E_i^(k)`` and ``E_i^(k+1) = A' E_u^(k)`` from the finished vectors ``E^(0)``
    (unit vectors where the model's score is a cosine), and ``e = sum of E^(0..hops)``. The result is one
    vector a user and one an item, scored by the inner product: made unit vectors again, they would lose what
    propagation says about degrees, and rank worse than before.

    Nothing is trained through the graph. Where there is a valid part it judges every number of steps from 0,
    which is the model itself, to ``hops``.

    Args:
        of: The model whose vectors are smoothed: its name, or name and options.
        hops: Steps over the graph, at least 0; the most of them where a valid part chooses.
        seed: Of the model, where that sets none.

    Raises:
        ValueError: If ``hops`` is below 0.

    Source: He et al. 2020, LightGCN, equations 3 and 4 with equal weights of the layers, applied after
    training in place of during it.
    """

    of: str | Mapping[str, Any] = "two_tower"
    hops: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.hops < 0:
            raise ValueError(f"hops is {self.hops}; it must be at least 0")

    def fit(
        self,
        train: Interactions,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Fit the model and smooth it; see ``Model.fit``. ``hops`` is chosen by ``validate``.

        Raises:
            InputError: If the model is not made of vectors, or its score is no inner product.
        """
        name, options = named(self.of)
        fitted = nested(name, options, self.seed).fit(
            train, validate=validate, report=report, checkpoints=checkpoints
        )
        if not isinstance(fitted.scorer, Embeddings):
            raise InputError(f"{name} is not made of vectors, so there is nothing to propagate")
        settled = {"name": name, **options, **fitted.chosen}
        smoothed = list(_smoothed(fitted.scorer, train, self.hops))
        hops = self.hops
        if validate is not None:
            values = [validate(each) for each in smoothed]
            hops = int(np.argmax(values))
        scorer = smoothed[hops]
        if hops:
            scorer = with_fold_in(scorer, _inputs(fitted.scorer, train), train)
        return Fitted(scorer, {"of": settled, "hops": hops})


def _smoothed(model: Embeddings, train: Interactions, hops: int) -> Iterator[Embeddings]:
    """The model itself, then after 1, 2, ... steps."""
    yield model
    if hops == 0:
        return
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

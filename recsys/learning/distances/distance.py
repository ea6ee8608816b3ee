"""The interface of distances. The same code serves numpy and torch, so training and ranking agree."""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

IndexMetric: TypeAlias = Literal["angular", "euclidean", "manhattan", "dot"]
# A numpy array or a torch tensor: distances use only what both understand (.sum(axis=...), .clip(min=...)).
Array: TypeAlias = Any


class Distance(Protocol):
    """A similarity of two points: higher is closer.

    Attributes:
        bounded: Whether the score lies in [-1, 1], as losses on angles need.
        index_metric: The metric by which an ANN index gives the same order; None: exact ranking only.
    """

    @property
    def bounded(self) -> bool:
        """Whether the score lies in [-1, 1]."""
        ...

    @property
    def index_metric(self) -> IndexMetric | None:
        """The index metric of the same order."""
        ...

    def similarity(self, a: Array, b: Array) -> Array:
        """Score of paired points: (..., D), (..., D) -> (...)."""
        ...

    def matrix(self, a: Array, b: Array) -> Array:
        """Scores of all pairs: (A, D), (M, D) -> (A, M)."""
        ...

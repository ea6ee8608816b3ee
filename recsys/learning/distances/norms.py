"""Norms of numpy arrays and torch tensors, with a finite gradient at zero."""

from __future__ import annotations

from recsys.learning.distances.distance import Array

TINY = 1e-12


def squared_norm(x: Array) -> Array:
    """(..., D) -> (...)."""
    return (x * x).sum(axis=-1)


def length(x: Array) -> Array:
    """Nearer to the origin than 1e-6 counts as 1e-6, with gradient zero: (..., D) -> (...)."""
    return squared_norm(x).clip(min=TINY) ** 0.5


def unit(x: Array) -> Array:
    """Points scaled to length 1; a zero stays zero: (..., D) -> (..., D)."""
    return x / length(x)[..., None]

"""Norms that work on numpy arrays and torch tensors alike and keep a finite gradient at zero."""

from __future__ import annotations

from recsys.learning.distances.distance import Array

TINY = 1e-12


def squared_norm(x: Array) -> Array:
    """(..., D) -> (...)."""
    return (x * x).sum(axis=-1)


def unit(x: Array) -> Array:
    """Points scaled to length 1; a zero stays zero: (..., D) -> (..., D)."""
    return x / squared_norm(x).clip(min=TINY)[..., None] ** 0.5

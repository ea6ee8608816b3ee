"""Distances that are not matrix products, one coordinate after the other in tiles that fit the cache.

A pass over the differences of one coordinate moves (A, M) numbers through memory, and there are D of them; a
tile stays in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

# Rows and columns.
Tile: TypeAlias = tuple[slice, slice]

# Numbers per tile, 512 kB of float32: large enough that the overhead of a call is small.
TILE: Final = 1 << 17
COLUMNS: Final = 1 << 11
# For so few points a transposed copy of the others costs more than it saves.
FEW: Final = 4


def tiles(rows: int, columns: int) -> Iterator[Tile]:
    """Cut a matrix into tiles."""
    width = max(1, min(columns, TILE if rows == 1 else COLUMNS))
    height = max(1, TILE // width)
    for top in range(0, rows, height):
        for left in range(0, columns, width):
            yield slice(top, top + height), slice(left, left + width)


def joined(a: npt.NDArray[Any], b: npt.NDArray[Any], join: np.ufunc) -> npt.NDArray[Any]:
    """Absolute differences of the coordinates, reduced by a sum or a maximum: (A, D), (M, D) -> (A, M)."""
    found = np.empty((len(a), len(b)), dtype=np.result_type(a, b))
    columns = b.T if len(a) < FEW else np.ascontiguousarray(b.T)  # (D, M)
    for rows, some in tiles(*found.shape):
        total = np.zeros_like(found[rows, some], order="C")
        difference = np.empty_like(total)
        for left, right in zip(a[rows].T, columns[:, some], strict=True):
            np.subtract(left[:, None], right, out=difference)
            join(total, np.abs(difference, out=difference), out=total)
        found[rows, some] = total
    return found

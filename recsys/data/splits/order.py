"""The k-th smallest of numbers that need not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_BITS: Final = 16  # of the number of bins
_FITS: Final = 1 << 22


def kth_smallest(parts: Callable[[], Iterable[npt.NDArray[Any]]], k: int, fits: int = _FITS) -> int:
    """The number at position ``k`` (from 0) of all 64-bit integers in order.

    The range is cut into equal bins, and the bin that holds the position again, until what is in it fits.

    Args:
        parts: Gives the integers, in arrays, again with each call.
        k: 0 <= k < number of integers.
        fits: How many integers may be held at once.

    Example:
        >>> kth_smallest(lambda: [np.array([5, 1]), np.array([4, 1])], 2)
        4
    """
    filled = [(int(part.min()), int(part.max()), len(part)) for part in parts() if len(part)]
    low, high = min(least for least, _, _ in filled), max(most for _, most, _ in filled)
    inside = sum(size for _, _, size in filled)
    while inside > fits and low < high:
        shift = max(0, (high - low).bit_length() - _BITS)  # bins of a power of two: no division
        counts = np.zeros(1 << _BITS, dtype=np.int64)
        for part in parts():
            bins = (_above(part, low, high) >> np.uint64(shift)).astype(np.int64)
            counts += np.bincount(bins, minlength=1 << _BITS)
        ends = np.cumsum(counts)
        chosen = int(np.searchsorted(ends, k, side="right"))
        inside = int(counts[chosen])
        k -= int(ends[chosen]) - inside
        low, high = low + (chosen << shift), min(high, low + (chosen + 1 << shift) - 1)
    if low == high:
        return low
    rest = np.concatenate([_above(part, low, high) for part in parts()])
    return low + int(np.partition(rest, k)[k])


def _above(part: npt.NDArray[Any], low: int, high: int) -> npt.NDArray[np.uint64]:
    """Distance from ``low`` of the numbers in ``low..high``."""
    if len(part) and (int(part.min()) < low or int(part.max()) > high):
        part = part[(part >= low) & (part <= high)]
    return part.astype(np.uint64) - np.uint64(low % (1 << 64))

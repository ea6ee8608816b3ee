"""Hashes of texts and rows that do not depend on the version of any library."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Keys: TypeAlias = npt.NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_BLOCK: Final = 1 << 18


def mix(x: npt.NDArray[Any]) -> Keys:
    """Scatter 64-bit integers over all 64-bit integers, one to one.

    Source: Steele et al. 2014, Fast splittable pseudorandom number generators, the finaliser of SplitMix64.
    """
    x = x.astype(np.uint64) + _GOLDEN
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def combine(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Keys:
    """One key of two, in this order."""
    return mix(first.astype(np.uint64) + _GOLDEN * mix(second))


def text_keys(texts: pl.Series) -> Keys:
    """A 64-bit key of each text's UTF-8 bytes; no nulls.

    Example:
        >>> [hex(key) for key in text_keys(pl.Series(["42", "042", ""]))]
        ['0x4f83d87fa027c0a5', '0x757d4ebe04ab7d23', '0xe220a8397b1dcdaf']
    """
    blocks = [_block(texts[start : start + _BLOCK]) for start in range(0, len(texts), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.uint64)


def _block(texts: pl.Series) -> Keys:
    lengths = texts.str.len_bytes().to_numpy().astype(np.int64)
    data = np.frombuffer("".join(texts.to_list()).encode(), dtype=np.uint8)
    ends = np.cumsum(lengths)
    places = np.arange(len(data)) - np.repeat(ends - lengths, lengths)
    sums = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(mix(places * 256 + data), out=sums[1:])
    return mix(sums[ends] - sums[ends - lengths] + lengths.astype(np.uint64))

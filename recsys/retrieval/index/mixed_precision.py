"""Exact lists for many vectors at once: nominate in low precision, score again in float32, certify.

The product of all pairs is most of the work, and in bfloat16 it is several times faster. Its rounding is
bounded, so the best few more than k in bfloat16, scored again in float32, hold the true list where the last
of the k lies above everything that an item outside could reach. Lists for which it does not are nominated
again in float32.

A block of vectors is scored against all items. The scores are read as integers, which have the order of the
floats and a fast maximum: of groups of items first, then of the members of the best groups only, because the
k best items lie in the k groups with the best maxima.

All of it is numpy except products in bfloat16, which numpy does not have: ranking in float32 needs no torch.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from recsys.learning.distances.distance import Distance
from recsys.learning.distances.norms import squared_norm, unit
from recsys.ragged import Ragged
from recsys.storage.arrays import BoolArray, Codes, FloatArray
from recsys.threads import one_thread_each, threads

Precision = Literal["bfloat16", "float32"]
# Scores or points in the bits of a precision: int16 or int32.
Bits = npt.NDArray[Any]
# Bits of the significand, the leading one included.
SIGNIFICAND: Final = {"bfloat16": 8, "float32": 24}
NOMINATED: Final = ("dot", "angular", "euclidean")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How the work is cut: it decides the time, and no list that is certain.

    Args:
        group: Items in a group.
        few: Groups that are looked through at once.
        spare: Nominated beyond k by precision: most lists are certain, and the rest costs little.
        block: Fewest and most vectors in a block.
        block_scores: Scores of a block, which decide between them, so that those of a worker fit the cache.
        torch_pays: Scores that take several times as long in float32 as torch does to import.
    """

    group: int = 8
    few: int = 256
    spare: Mapping[Precision, int] = field(default_factory=lambda: {"bfloat16": 28, "float32": 8})
    block: tuple[int, int] = (8, 128)
    block_scores: int = 1 << 24
    torch_pays: int = 1 << 33


DEFAULT: Final = Sizes()


def precisions(scores: int, sizes: Sizes = DEFAULT) -> tuple[Precision, ...]:
    """Precisions to try, the fastest first: what is not certain in one goes to the next.

    bfloat16 needs a processor that multiplies it, and torch, which is used where it is imported already, or
    after so many ``scores`` that there may be more, so that its import pays.
    """
    if "torch" in sys.modules or scores >= sizes.torch_pays:
        import torch

        if torch.cpu._is_avx512_bf16_supported():
            return "bfloat16", "float32"
    return ("float32",)


def can_nominate(distance: Distance, items: int, k: int, sizes: Sizes = DEFAULT) -> bool:
    """Whether the distance has the order of an inner product, and the catalogue is more than a few lists."""
    return distance.index_metric in NOMINATED and items >= sizes.group * (k + max(sizes.spare.values()))


@dataclass
class Nomination:
    """Items, prepared in each precision when it is first used, and ranked for many vectors at once.

    Args:
        distance: What scores; ``can_nominate`` holds for it.
        items: (I, D).
        sizes: How the work is cut.
    """

    distance: Distance
    items: FloatArray
    sizes: Sizes = DEFAULT
    _prepared: dict[Precision, PreparedItems] = field(default_factory=dict, init=False, repr=False)
    _scores: int = field(default=0, init=False, repr=False)  # of all queries together

    def query(
        self, vectors: FloatArray, k: int, exclude: Ragged | None = None
    ) -> tuple[Codes, FloatArray, BoolArray]:
        """The k best items of each vector; what is not certain in one precision is ranked in the next.

        Returns:
            Codes (n, k), scores (n, k), and (n,) whether the list is certain to be the true one.
        """
        codes = np.empty((len(vectors), k), dtype=np.int32)
        scores = np.empty((len(vectors), k), dtype=np.float32)
        certain = np.zeros(len(vectors), dtype=np.bool_)
        self._scores += len(vectors) * len(self.items)
        for precision in precisions(self._scores, self.sizes):
            left = np.flatnonzero(~certain)
            if len(left):
                rest = None if exclude is None else exclude.take(left)
                codes[left], scores[left], certain[left] = nominate(
                    self._in(precision), vectors[left], k, rest
                )
        return codes, scores, certain

    def _in(self, precision: Precision) -> PreparedItems:
        if precision not in self._prepared:
            self._prepared[precision] = PreparedItems.of(self.distance, self.items, precision, self.sizes)
        return self._prepared[precision]


@dataclass(frozen=True, slots=True)
class PreparedItems:
    """Items, and a form of them whose inner product with a vector, plus an offset, has the distance's order.

    Args:
        distance: What scores.
        precision: Of the products.
        points: (I, D) float32 as given.
        linear: (I, D) float32; of length 1 where the score is an angle.
        offset: (I,) float32, or None where there is none.
        low: (I', D) ``linear`` in the bits of ``precision``, or (I', D + 3) with the offset in three
            summands, so that nothing of it is lost; zeros fill it up to I'.
        longest: Largest length of a linear vector.
        lost: Largest length of what low precision took from one.
        sizes: How the work is cut.
    """

    distance: Distance
    precision: Precision
    points: FloatArray
    linear: FloatArray
    offset: FloatArray | None
    low: Bits
    longest: float
    lost: float
    sizes: Sizes

    @classmethod
    def of(
        cls, distance: Distance, items: FloatArray, precision: Precision, sizes: Sizes = DEFAULT
    ) -> PreparedItems:
        """Prepare items (I, D) for products in ``precision``."""
        points = np.asarray(items, dtype=np.float32)
        linear = _linear(distance, points)
        low = _bits(linear, precision)
        longest, lost = (float(squared_norm(part).max() ** 0.5) for part in (linear, linear - _floats(low)))
        offset = -0.5 * squared_norm(points) if distance.index_metric == "euclidean" else None
        if offset is not None:
            low = np.hstack([low, _summands(offset, precision)])
        low = _filled(low, sizes.group**3)
        return cls(distance, precision, points, linear, offset, low, longest, lost, sizes)

    @property
    def block(self) -> int:
        """Vectors in a block."""
        least, most = self.sizes.block
        return max(least, min(most, self.sizes.block_scores // len(self.low)))


@dataclass(frozen=True, slots=True)
class _Vectors:
    """The vectors that ask, in the form of a catalogue: ``error`` (n,) bounds that of their low products."""

    points: FloatArray
    linear: FloatArray
    low: Bits
    error: FloatArray

    @classmethod
    def of(cls, vectors: FloatArray, catalogue: PreparedItems) -> _Vectors:
        linear = _linear(catalogue.distance, vectors)
        low = _bits(linear, catalogue.precision)
        length = squared_norm(_floats(low)) ** 0.5
        error = squared_norm(linear - _floats(low)) ** 0.5 * catalogue.longest + length * catalogue.lost
        # What summing in float32 may lose.
        error += (low.shape[1] + 8) * 2.0**-22 * length * (catalogue.longest + catalogue.lost)
        if catalogue.offset is not None:
            low = np.hstack([low, _bits(np.ones((len(low), 3), dtype=np.float32), catalogue.precision)])
            error += 2.0**-21 * np.abs(catalogue.offset).max()
        return cls(vectors, linear, _filled(low, catalogue.block), error)

    def rows(self, block: slice) -> _Vectors:
        return _Vectors(self.points[block], self.linear[block], self.low[block], self.error[block])


def nominate(
    catalogue: PreparedItems, vectors: FloatArray, k: int, exclude: Ragged | None = None
) -> tuple[Codes, FloatArray, BoolArray]:
    """The k best items of each vector, best first, equal scores by code.

    Args:
        catalogue: The items.
        vectors: (n, D) float32.
        k: Length of a list; ``can_nominate`` holds for it.
        exclude: A row for each vector: items that may not be listed.

    Returns:
        Codes (n, k), scores (n, k), and (n,) whether the list is certain to be the true one.
    """
    codes = np.full((len(vectors), k), -1, dtype=np.int32)
    scores = np.full((len(vectors), k), -np.inf, dtype=np.float32)
    certain = np.zeros(len(vectors), dtype=np.bool_)
    asking, size, workers = _Vectors.of(vectors, catalogue), catalogue.block, threads()
    hidden = None if exclude is None else _positions(exclude, size)

    def work(worker: int) -> None:
        # Each thread takes whole blocks: their scores stay in the cache of its core, and no thread waits.
        product = np.empty((len(catalogue.low), size), dtype=catalogue.low.dtype)
        never = _bits(np.array(-np.inf, dtype=np.float32), catalogue.precision)
        for start in range(worker * size, len(vectors), workers * size):
            block = slice(start, min(start + size, len(vectors)))
            _multiply(catalogue.low, asking.low[start : start + size], product)  # (I', b)
            product[len(catalogue.points) :] = never
            if exclude is not None and hidden is not None:
                bounds = slice(exclude.indptr[block.start], exclude.indptr[block.stop])
                product.reshape(-1)[hidden[bounds]] = never
            codes[block], scores[block], certain[block] = _lists(catalogue, asking.rows(block), product, k)

    with one_thread_each(), ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return codes, scores, certain


def _multiply(low: Bits, asking: Bits, out: Bits) -> None:
    """Inner products (I', b) of (I', D) with (b, D), on one thread."""
    if low.dtype == np.int32:
        np.matmul(low.view(np.float32), asking.view(np.float32).T, out=out.view(np.float32))
        return
    import torch

    torch.set_num_threads(1)
    first, second, product = (torch.from_numpy(each).view(torch.bfloat16) for each in (low, asking, out))
    torch.mm(first, second.T, out=product)


def _lists(
    catalogue: PreparedItems, asking: _Vectors, product: Bits, k: int
) -> tuple[npt.NDArray[np.int64], FloatArray, BoolArray]:
    """Lists of a block of b vectors out of its product (I', b)."""
    count = k + catalogue.sizes.spare[catalogue.precision]
    codes, low = _nominees(product, count, catalogue.sizes)  # (b, k + spare), codes ascending
    codes, low = codes[: len(asking.points)], low[: len(asking.points)]
    allowed = low > -np.inf
    codes = np.where(allowed, codes, 0)
    reached = np.einsum("bnd,bd->bn", catalogue.linear[codes], asking.linear)
    scores = reached
    if catalogue.offset is not None:
        reached = reached + catalogue.offset[codes]
        scores = catalogue.distance.similarity(asking.points[:, None], catalogue.points[codes])
    # The sort is stable and the codes ascend: equal scores are ordered by code.
    scores = np.where(allowed, scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    scores = np.take_along_axis(scores, order, axis=1)
    least = low.min(axis=1)  # in low precision, what is not nominated is at most this
    outside = least + _half_unit(least, catalogue.precision) + asking.error
    certain = (least == -np.inf) | (np.take_along_axis(reached, order, axis=1).min(axis=1) > outside)
    listed = np.where(scores > -np.inf, np.take_along_axis(codes, order, axis=1), -1)
    return listed, scores, certain


def _nominees(product: Bits, count: int, sizes: Sizes) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """The largest of each column of a product (I', b): codes (b, count), ascending, and values in float32."""
    values, codes = _largest(product, count, sizes)
    if (values < 0).any():
        # Read as integers, negative floats have the reverse order. Reverse them, and look again.
        _reverse(product)
        values, codes = _largest(product, count, sizes)
        _reverse(values)
    order = np.argsort(codes, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    return np.take_along_axis(codes, order, axis=1), _floats(values)


def _largest(whole: Bits, count: int, sizes: Sizes) -> tuple[Bits, npt.NDArray[np.int64]]:
    """Values and rows of the largest in each column of (n, b) integers: (b, count) each, in no order."""
    n, columns = whole.shape
    groups = n // sizes.group
    if n <= sizes.few or n % sizes.group or groups < count:
        values = np.ascontiguousarray(whole.T)
        best = np.argpartition(values, n - count, axis=1)[:, n - count :]
        return np.take_along_axis(values, best, axis=1), best
    # Group g holds the rows g, g + groups, g + 2 groups, ...: the maximum runs along whole rows.
    _, best = _largest(whole.reshape(sizes.group, groups, columns).max(axis=0), count, sizes)  # (b, count)
    members = (best[:, None] + np.arange(0, n, groups)[:, None]).reshape(columns, sizes.group * count)
    values = whole.reshape(-1).take(members * columns + np.arange(columns)[:, None])
    place = np.argpartition(values, -count, axis=1)[:, -count:]
    return np.take_along_axis(values, place, axis=1), np.take_along_axis(members, place, axis=1)


def _reverse(integers: Bits) -> None:
    """Flip all bits but the sign of negative numbers, in place; twice is nothing."""
    bits = 8 * integers.itemsize - 1
    integers ^= (integers >> bits) & np.array(2**bits - 1, dtype=integers.dtype)


def _linear(distance: Distance, points: FloatArray) -> FloatArray:
    return np.asarray(unit(points) if distance.index_metric == "angular" else points, dtype=np.float32)


def _bits(values: FloatArray, precision: Precision) -> Bits:
    """Rounded to the nearest number of ``precision``, the even one of two: its bits, as signed integers."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    if precision == "float32":
        return bits.view(np.int32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype(np.uint16).view(np.int16)


def _floats(bits: Bits) -> FloatArray:
    """What ``_bits`` made, as float32."""
    return (bits if bits.dtype == np.int32 else bits.astype(np.int32) << 16).view(np.float32)


def _half_unit(values: FloatArray, precision: Precision) -> FloatArray:
    """Half a unit in the last place of ``precision``: how far rounding moved a number at most."""
    finite = np.where(values > -np.inf, values, 0)
    half: FloatArray = np.ldexp(np.float32(1), np.frexp(finite)[1] - SIGNIFICAND[precision] - 1)
    return half


def _positions(exclude: Ragged, size: int) -> npt.NDArray[np.int64]:
    """Positions of excluded pairs in the flat product (I', size) of their block."""
    rows = np.repeat(np.arange(len(exclude)) % size, np.diff(exclude.indptr))
    return exclude.indices.astype(np.int64) * size + rows


def _summands(offset: FloatArray, precision: Precision) -> Bits:
    """Three numbers of low precision whose sum is the offset: (I,) -> (I, 3)."""
    summands = []
    for _ in range(3):
        summands.append(_bits(offset, precision))
        offset = offset - _floats(summands[-1])
    return np.stack(summands, axis=1)


def _filled(rows: Bits, multiple: int) -> Bits:
    """Rows of zeros added up to a multiple."""
    return np.pad(rows, ((0, -len(rows) % multiple), (0, 0)))

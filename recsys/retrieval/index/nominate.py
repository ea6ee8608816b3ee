"""Exact lists for many vectors at once: nominate in low precision, score again in float32, certify.

The product of all pairs is most of the work, and in bfloat16 it is several times faster. Its rounding is
bounded, so the best few more than k in bfloat16, scored again in float32, hold the true list where the last
of the k lies above everything that an item outside could reach. Lists for which it does not are told apart.

A block of vectors is scored against all items. The scores are read as integers, which have the order of the
floats and a fast maximum: of groups of items first, then of the members of the best groups only, because the
k best items lie in the k groups with the best maxima.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.arrays import BoolArray, Codes, FloatArray
from recsys.learning.distances.distance import Distance
from recsys.learning.distances.norms import squared_norm, unit
from recsys.retrieval.index.index import Rows

GROUP: Final = 8
# So few groups are looked through at once.
FEW: Final = 256
# Nominated beyond k, by the metric of the order: enough for most lists to be certain, few enough to be cheap.
# Angles and lengths crowd near the best more than products do.
SPARE: Final = {"dot": 12, "angular": 28, "euclidean": 28}
# A block is wide enough for a fast product, and its scores small enough for the cache (at least for memory).
BLOCK_VECTORS: Final = (8, 64)
BLOCK_SCORES: Final = 1 << 24
# Bits of the significand, the leading one included.
PRECISION: Final = {torch.bfloat16: 8, torch.float32: 24}


def can_nominate(distance: Distance, items: int, k: int) -> bool:
    """Whether the distance has the order of an inner product, and the catalogue is more than a few lists."""
    return distance.index_metric in SPARE and items >= GROUP * (k + SPARE[distance.index_metric])


def precisions() -> tuple[torch.dtype, ...]:
    """Precisions to try, the fastest first: what is not certain in one is nominated again in the next."""
    if torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16, torch.float32
    return (torch.float32,)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Items, and a form of them whose inner product with a vector, plus an offset, has the distance's order.

    Args:
        distance: What scores.
        points: (I, D) float32 as given.
        linear: (I, D) float32; of length 1 where the score is an angle.
        offset: (I,) float32, or None where there is none.
        low: (I', D) ``linear`` in low precision, or (I', D + 3) with the offset in three summands, so that
            nothing of it is lost; zeros fill it up to I'.
        longest: Largest length of a linear vector.
        lost: Largest length of what low precision took from one.
    """

    distance: Distance
    points: Tensor
    linear: Tensor
    offset: Tensor | None
    low: Tensor
    longest: float
    lost: float

    @classmethod
    def of(cls, distance: Distance, items: FloatArray, kind: torch.dtype) -> Catalogue:
        """Prepare items (I, D) for products in ``kind``."""
        with _one_thread():
            return cls._of(distance, items, kind)

    @classmethod
    def _of(cls, distance: Distance, items: FloatArray, kind: torch.dtype) -> Catalogue:
        points = torch.from_numpy(np.require(items, np.float32, ["C", "W"]))
        linear = unit(points) if distance.index_metric == "angular" else points
        low = linear.to(kind)
        longest, lost = (float(squared_norm(part).max() ** 0.5) for part in (linear, linear - low.float()))
        offset = -0.5 * squared_norm(points) if distance.index_metric == "euclidean" else None
        if offset is not None:
            low = torch.hstack([low, _summands(offset, kind)])
        return cls(distance, points, linear, offset, _filled(low, GROUP**3), longest, lost)

    @property
    def block(self) -> int:
        """Vectors in a block."""
        least, most = BLOCK_VECTORS
        return max(least, min(most, BLOCK_SCORES // len(self.low)))


@dataclass(frozen=True, slots=True)
class _Vectors:
    """The vectors that ask, in the form of a catalogue: ``error`` (n,) bounds that of their low products."""

    points: Tensor
    linear: Tensor
    low: Tensor
    error: Tensor

    @classmethod
    def of(cls, vectors: FloatArray, catalogue: Catalogue) -> _Vectors:
        points = torch.from_numpy(np.require(vectors, np.float32, ["C", "W"]))
        linear = unit(points) if catalogue.distance.index_metric == "angular" else points
        low = linear.to(catalogue.low.dtype)
        length = squared_norm(low.float()) ** 0.5
        error = squared_norm(linear - low.float()) ** 0.5 * catalogue.longest + length * catalogue.lost
        # What summing in float32 may lose.
        error += (low.shape[1] + 8) * 2.0**-22 * length * (catalogue.longest + catalogue.lost)
        if catalogue.offset is not None:
            low = torch.hstack([low, low.new_ones(len(low), 3)])
            error += 2.0**-21 * catalogue.offset.abs().max()
        return cls(points, linear, _filled(low, catalogue.block), error)

    def rows(self, block: slice) -> _Vectors:
        return _Vectors(self.points[block], self.linear[block], self.low[block], self.error[block])


def nominate(
    catalogue: Catalogue, vectors: FloatArray, k: int, exclude: Rows | None = None
) -> tuple[Codes, FloatArray, BoolArray]:
    """The k best items of each vector, best first, equal scores by code.

    Args:
        catalogue: The items.
        vectors: (n, D).
        k: Length of a list; ``can_nominate`` holds for it.
        exclude: A row for each vector: items that may not be listed.

    Returns:
        Codes (n, k), scores (n, k), and (n,) whether the list is certain to be the true one.
    """
    codes = np.full((len(vectors), k), -1, dtype=np.int32)
    scores = np.full((len(vectors), k), -np.inf, dtype=np.float32)
    certain = np.zeros(len(vectors), dtype=np.bool_)
    size, threads = catalogue.block, torch.get_num_threads()
    hidden = None if exclude is None else _positions(exclude, size)

    def work(asking: _Vectors, worker: int) -> None:
        # Each thread takes whole blocks: their scores stay in the cache of its core, and nobody waits.
        torch.set_num_threads(1)
        product = catalogue.low.new_empty(len(catalogue.low), size)
        with torch.inference_mode():
            for start in range(worker * size, len(vectors), threads * size):
                block = slice(start, start + size)
                torch.mm(catalogue.low, asking.low[block].T, out=product)  # (I', b)
                product[len(catalogue.points) :] = -torch.inf
                if exclude is not None and hidden is not None:
                    bounds = exclude.indptr[[start, min(start + size, len(vectors))]]
                    product.view(-1).index_fill_(0, torch.from_numpy(hidden[slice(*bounds)]), -torch.inf)
                codes[block], scores[block], certain[block] = _lists(
                    catalogue, asking.rows(block), product, k
                )

    with _one_thread(), ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(work, _Vectors.of(vectors, catalogue)), range(threads)))
    return codes, scores, certain


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch's own threads held to one: in small steps they wait for each other more than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _lists(
    catalogue: Catalogue, asking: _Vectors, product: Tensor, k: int
) -> tuple[npt.NDArray[np.int64], FloatArray, BoolArray]:
    """Lists of a block of b vectors out of its product (I', b)."""
    metric = catalogue.distance.index_metric
    codes, low = _nominees(product, k + SPARE[metric or "dot"])  # (b, k + spare), codes ascending
    codes, low = codes[: len(asking.points)], low[: len(asking.points)]
    allowed = low > -torch.inf
    codes = codes.where(allowed, 0)
    reached = (_take(catalogue.linear, codes) * asking.linear[:, None]).sum(-1)
    scores = reached
    if catalogue.offset is not None:
        reached = reached + catalogue.offset[codes]
        scores = catalogue.distance.similarity(asking.points[:, None], _take(catalogue.points, codes))
    # The sort is stable and the codes ascend: equal scores stand by code.
    scores, order = scores.where(allowed, -torch.inf).sort(dim=1, descending=True, stable=True)
    scores, order = scores[:, :k], order[:, :k]
    least = low.amin(dim=1)  # in low precision, what is not nominated is at most this
    outside = least + _half_unit(least, product.dtype) + asking.error
    certain = (least == -torch.inf) | (reached.gather(1, order).amin(dim=1) > outside)
    listed = codes.gather(1, order).where(scores > -torch.inf, -1)
    return listed.numpy(), scores.numpy(), certain.numpy()


def _nominees(product: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest of each column of a product (I', b): codes (b, count), ascending, and values in float32."""
    whole = product.view(torch.int16 if product.dtype == torch.bfloat16 else torch.int32)
    values, codes = _largest(whole, count)
    if bool((values < 0).any()):
        # Read as integers, negative floats have the reverse order. Turn that round, and look again.
        _turn(whole)
        values, codes = _largest(whole, count)
        _turn(values)
    codes, order = codes.sort(dim=1)
    return codes, values.view(product.dtype).gather(1, order).float()


def _largest(whole: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Values and rows of the largest in each column of (n, b) integers: (b, count) each, in no order."""
    n, columns = whole.shape
    groups = n // GROUP
    if n <= FEW or n % GROUP or groups < count:
        return whole.T.contiguous().topk(count, sorted=False)
    # Group g holds the rows g, g + groups, g + 2 groups, ...: the maximum runs along whole rows.
    _, best = _largest(whole.view(GROUP, groups, columns).amax(dim=0), count)  # (b, count)
    members = (best[:, None] + torch.arange(0, n, groups)[:, None]).view(columns, GROUP * count)
    flat = members * columns + torch.arange(columns)[:, None]
    values, place = _take(whole.view(-1), flat).topk(count, sorted=False)
    return values, members.gather(1, place)


def _turn(integers: Tensor) -> None:
    """Flip all bits but the sign of negative numbers, in place; twice is nothing."""
    bits = 8 * integers.element_size() - 1
    integers ^= (integers >> bits) & (2**bits - 1)


def _take(rows: Tensor, codes: Tensor) -> Tensor:
    """``rows[codes]``, by the call that copies whole rows."""
    return rows.index_select(0, codes.view(-1)).view(*codes.shape, *rows.shape[1:])


def _half_unit(values: Tensor, kind: torch.dtype) -> Tensor:
    """Half a unit in the last place of ``kind``: how far rounding moved a number at most."""
    finite = values.where(values > -torch.inf, 0)
    return torch.ldexp(torch.ones_like(values), torch.frexp(finite).exponent - PRECISION[kind] - 1)


def _positions(exclude: Rows, size: int) -> npt.NDArray[np.int64]:
    """Where excluded pairs stand in the flat product (I', size) of their block."""
    rows = np.repeat(np.arange(len(exclude)) % size, np.diff(exclude.indptr))
    return exclude.indices.astype(np.int64) * size + rows


def _summands(offset: Tensor, kind: torch.dtype) -> Tensor:
    """Three numbers of low precision whose sum is the offset: (I,) -> (I, 3)."""
    summands = []
    for _ in range(3):
        summands.append(offset.to(kind))
        offset = offset - summands[-1].float()
    return torch.stack(summands, dim=1)


def _filled(rows: Tensor, multiple: int) -> Tensor:
    """Rows of zeros added up to a multiple."""
    return torch.vstack([rows, rows.new_zeros(-len(rows) % multiple, rows.shape[1])])

"""The same as ``tiles`` for tensors, with gradients: on a CPU in half the time of ``torch.cdist``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor

from recsys.learning.distances.tiles import Tile, tiles


def manhattan(a: Tensor, b: Tensor) -> Tensor:
    """Sums of absolute differences: (A, D), (M, D) -> (A, M)."""
    if a.is_cuda:
        return torch.cdist(a, b, p=1.0)
    found: Tensor = _Manhattan.apply(a, b)  # type: ignore[no-untyped-call]
    return found


def chebyshev(a: Tensor, b: Tensor) -> Tensor:
    """Largest absolute differences: (A, D), (M, D) -> (A, M).

    With a gradient, the coordinate is found by comparing all but the last few bits of the differences, which
    hold its index: its difference, the result, is the largest to within 2 D units in the last place.
    """
    if a.is_cuda:
        return torch.cdist(a, b, p=torch.inf)
    if not (torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)):
        return _joined(a, b, torch.maximum)
    found: Tensor = _Chebyshev.apply(a, b)  # type: ignore[no-untyped-call]
    return found


class _Manhattan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return _joined(a, b, torch.add)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ctx.saved_tensors
        pull = torch.ops.aten._cdist_backward
        by_row, by_column = slopes.contiguous(), slopes.T.contiguous()
        return pull(by_row, a, b, 1.0, by_row), pull(by_column, b, a, 1.0, by_column)


class _Chebyshev(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        kind = {torch.float32: torch.int32, torch.float64: torch.int64}[a.dtype]
        low = (1 << max(a.shape[1] - 1, 1).bit_length()) - 1  # bits for the index of a coordinate
        high = torch.iinfo(kind).max & ~low  # all other bits but the sign
        a, b = a.detach(), b.detach()  # other threads would record a graph
        axis = torch.empty(len(a), len(b), dtype=torch.int64)
        columns = b.T.contiguous()  # (D, M)

        def work(tile: Tile) -> None:
            rows, some = tile
            best = torch.zeros(len(a[rows]), len(b[some]), dtype=kind)
            difference = torch.empty_like(best, dtype=a.dtype)
            bits = difference.view(kind)
            for number, (left, right) in enumerate(zip(a[rows].unbind(1), columns[:, some], strict=True)):
                torch.sub(left[:, None], right, out=difference)
                torch.maximum(best, bits.bitwise_and_(high).bitwise_or_(number), out=best)
            axis[rows, some] = best.bitwise_and_(low)

        _each(work, tiles(len(a), len(b)))
        signed = a.gather(1, axis) - columns.gather(0, axis)
        ctx.save_for_backward(axis, signed.sign())
        ctx.dim = a.shape[1]
        return signed.abs_()

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, Tensor]:
        axis, sign = ctx.saved_tensors
        pull = slopes * sign
        of_rows = pull.new_zeros(len(axis), ctx.dim).scatter_add_(1, axis, pull)
        of_columns = pull.new_zeros(ctx.dim, axis.shape[1]).scatter_add_(0, axis, pull)
        return of_rows, of_columns.T.neg()


def _joined(a: Tensor, b: Tensor, join: Any) -> Tensor:
    """Absolute differences of one coordinate after the other, reduced by a sum or a maximum."""
    a, b = a.detach(), b.detach()  # other threads would record a graph
    found = a.new_zeros(len(a), len(b))
    columns = b.T.contiguous()  # (D, M)

    def work(tile: Tile) -> None:
        rows, some = tile
        total = torch.zeros_like(found[rows, some], memory_format=torch.contiguous_format)
        difference = torch.empty_like(total)
        for left, right in zip(a[rows].unbind(1), columns[:, some], strict=True):
            torch.sub(left[:, None], right, out=difference)
            join(total, difference.abs_(), out=total)
        found[rows, some] = total

    _each(work, tiles(len(a), len(b)))
    return found


def _each(work: Callable[[Tile], None], every: Iterable[Tile]) -> None:
    """Process tiles in parallel, one thread each: threads that share one operation wait for each other."""
    count = torch.get_num_threads()
    if count == 1:
        for tile in every:
            work(tile)
        return
    try:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(count, initializer=partial(torch.set_num_threads, 1)) as pool:
            list(pool.map(work, every))
    finally:
        torch.set_num_threads(count)

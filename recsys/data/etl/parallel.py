"""Runs work on two pieces at a time, for steps that use one core each; results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

_AT_ONCE: Final = 2  # each more is one more piece in memory


def in_parallel(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """Results of ``work`` on each piece, in the order of the pieces.

    Threads are enough: polars and numpy release the interpreter's lock.

    Raises:
        Exception: What ``work`` raises, after the results before it.

    Example:
        >>> list(in_parallel(abs, [-1, 2, -3]))
        [1, 2, 3]
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) == _AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

"""Two cores for work whose steps know only one: two pieces at a time, their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

_AT_ONCE: Final = 2  # each more is one more piece in memory


def abreast(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """Results of ``work`` on each piece, in the order of the pieces; polars and numpy leave room for both.

    Raises:
        Exception: What ``work`` raises, once the results before it were taken.

    Example:
        >>> list(abreast(abs, [-1, 2, -3]))
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

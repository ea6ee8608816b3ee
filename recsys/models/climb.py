"""The best of a few values in a row, without trying them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def climb(
    values: Sequence[float], quality: Callable[[float], float], middle: float | None = None
) -> tuple[float, float]:
    """Begin in the middle and go to the better neighbour for as long as there is one.

    The direction that falls is not tried further, so of five values three or four are judged, each once.

    Args:
        values: In order.
        quality: Judges a value, higher is better.
        middle: The quality of the value in the middle, where it is known.

    Returns:
        The value and its quality.

    Example:
        >>> tried = []
        >>> climb((5, 4, 3, 2, 1), lambda value: tried.append(value) or -abs(value - 4))
        (4, 0)
        >>> tried
        [3, 2, 4, 5]
    """
    start = best = len(values) // 2
    height = quality(values[start]) if middle is None else middle
    for direction in (1, -1):
        place = start + direction
        while 0 <= place < len(values) and (found := quality(values[place])) > height:
            best, height, place = place, found, place + direction
        if best != start:
            break
    return values[best], height

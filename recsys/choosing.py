"""Choosing on the validation set: ``choose`` among all, ``climb`` along a line, keep the ``Best`` so far.

On a small validation set the best of many candidates is best by chance. So candidates stand in an order of
preference, the default or the simplest first, and a later one is taken only where it is better by more than
the standard error of the difference. That is paired, user by user, and so much smaller than the error of
either mean: candidates are right about the same users. Points of a grid and rounds of an iteration have no
order of preference: of those the best is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float64]
T = TypeVar("T")


class Judgement(float):
    """Mean quality of a candidate over the users it was judged on: a number, with the value of each user.

    Args:
        per_user: (n,) values, one per user, in the same order for every candidate; NaN where undefined.

    Example:
        >>> Judgement(np.array([0.0, 1.0, np.nan]))
        0.5
    """

    per_user: Values

    def __new__(cls, per_user: Values) -> Judgement:
        """Take the mean over the users where it is defined; NaN where it is defined for none."""
        defined = per_user[np.isfinite(per_user)]
        made = super().__new__(cls, defined.mean() if defined.size else math.nan)
        made.per_user = per_user
        return made


def clearly_better(one: float, other: float) -> bool:
    """Whether a candidate is better than another by more than the standard error of the paired difference.

    Plain numbers are taken as known without error.

    Example:
        >>> some, more = np.array([0.2, 0.4, 0.1]), np.array([0.3, 0.5, 0.2])
        >>> clearly_better(Judgement(more), Judgement(some))  # by .1 for each user
        True
        >>> clearly_better(Judgement(np.array([0.9, 0.0, 0.0])), Judgement(some))  # thanks to one user
        False
        >>> clearly_better(0.3, 0.2), clearly_better(0.3, math.nan), clearly_better(math.nan, 0.3)
        (True, True, False)
    """
    if math.isnan(one) or math.isnan(other):
        return not math.isnan(one)
    return one - other > _error(one, other)


def preferred(qualities: Sequence[float]) -> int:
    """The first candidate that the best one is not clearly better than; they stand in order of preference.

    Source: Breiman et al. 1984, Classification and Regression Trees, section 3.4.3 (the one standard error
    rule), with the error of the paired difference.
    """
    best = max(qualities, key=lambda quality: -math.inf if math.isnan(quality) else quality)
    return next(place for place, quality in enumerate(qualities) if not clearly_better(best, quality))


def choose(candidates: Sequence[T], judge: Callable[[T], float]) -> T:
    """Judge every candidate and take the ``preferred`` one; they stand in order of preference.

    Example:
        >>> choose(["default", "other"], lambda name: 0.3)
        'default'
    """
    return candidates[preferred([judge(each) for each in candidates])]


@dataclass(slots=True)
class Best(Generic[T]):
    """The best candidate so far, the first one of equals; for those without an order of preference.

    Example:
        >>> best = Best[str]()
        >>> for name, quality in (("a", 0.1), ("b", 0.3), ("c", 0.3), ("d", math.nan)):
        ...     best.judge(name, quality)
        >>> best.found, best.quality
        ('b', 0.3)
    """

    found: T | None = None
    quality: float = -math.inf

    def judge(self, candidate: T, quality: float) -> None:
        """Keep a candidate if it is better; the first in any case, and NaN is worse than any number."""
        if self.found is None or quality > self.quality:
            self.found, self.quality = candidate, -math.inf if math.isnan(quality) else quality


def climb(
    values: Sequence[float], quality: Callable[[float], float], middle: float | None = None
) -> tuple[float, float]:
    """Begin in the middle and go to the better neighbour for as long as there is one.

    The direction that falls is not tried further, so of five values three or four are judged, each once. Of
    those on the way up, the nearest to the middle is kept that the last is not clearly better than.

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
    start = len(values) // 2
    way = [(values[start], quality(values[start]) if middle is None else middle)]
    for direction in (1, -1):
        place = start + direction
        while 0 <= place < len(values) and (found := quality(values[place])) > way[-1][1]:
            way.append((values[place], found))
            place += direction
        if len(way) > 1:
            break
    return choose(way, lambda each: each[1])


def _error(one: float, other: float) -> float:
    """Standard error of the mean difference over users; one user alone tells nothing."""
    if not (isinstance(one, Judgement) and isinstance(other, Judgement)):
        return 0.0
    gaps = one.per_user - other.per_user
    gaps = gaps[np.isfinite(gaps)]
    return float(gaps.std(ddof=1)) / len(gaps) ** 0.5 if len(gaps) > 1 else math.inf

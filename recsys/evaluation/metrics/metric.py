"""A metric: ranked lists with their hits in, one value per user or one value for all lists out."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.evaluation.ranked import Ranked

Values: TypeAlias = npt.NDArray[np.float64]


class Metric(Protocol):
    """A metric of the first k ranks.

    Attributes:
        per_user: Whether there is one value per user, (n,), NaN where it is undefined; else one value, ().
    """

    @property
    def k(self) -> int:
        """How many ranks count."""
        ...

    @property
    def per_user(self) -> bool:
        """Whether there is one value per user."""
        ...

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,), or () where ``per_user`` is false."""
        ...


def check_cut_off(k: int) -> None:
    """Refuse a cut-off below 1.

    Raises:
        ValueError: If it is.
    """
    if k < 1:
        raise ValueError(f"k is {k}; at least the first rank counts")


def hits_at(ranked: Ranked, k: int) -> npt.NDArray[np.int64]:
    """Number of hits in the first k ranks: (n,)."""
    count: npt.NDArray[np.int64] = np.count_nonzero(ranked.hits[:, :k], axis=1)
    return count


def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Values:
    """``part / whole``, NaN where the whole is nothing."""
    values: Values = np.full(len(whole), np.nan)
    np.divide(part, whole, out=values, where=np.asarray(whole > 0))
    return values

"""The interface of miners, which select the negatives to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from recsys.learning.pairs import Pairs, Scores


@dataclass(frozen=True, slots=True)
class Moment:
    """The progress of training when a miner is called.

    Args:
        progress: From 0 in the first step to 1 in the last.
        rng: Random generator, on the device of the scores.
    """

    progress: float
    rng: Generator


class Miner(Protocol):
    """Chooses negatives by their scores; rows are independent of each other.

    Attributes:
        needs: Names of the optional fields of ``Pairs`` that must be there.
    """

    @property
    def needs(self) -> tuple[str, ...]:
        """Optional fields of ``Pairs`` that must be there."""
        ...

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """A mask (B, N) inside ``pairs.mask``, so that miners chain."""
        ...


@runtime_checkable
class Narrowing(Protocol):
    """A miner that can select in the score buffer, for losses with slopes in closed form (``Sloped``)."""

    def narrow(self, scores: Scores) -> Scores | None:
        """The scores with only what ``__call__`` selects used; None if the options rule it out."""
        ...

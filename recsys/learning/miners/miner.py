"""What a miner is: it says which of the negatives to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from recsys.learning.pairs import Pairs, Scores


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the training is.

    Args:
        progress: From 0 in the first step to 1 in the last.
        rng: Source of chance, on the device of the scores.
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
    """A miner that can choose among scores where they lie, for losses that know their slopes (``Sloped``)."""

    def narrow(self, scores: Scores) -> Scores | None:
        """The scores with nothing used but what ``__call__`` picks; None where these options cannot say."""
        ...

"""The interface of samplers, which choose the items that the users of a batch are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, slots=True)
class Positives:
    """The observed interactions of a batch.

    Args:
        users: (B,) int64 codes.
        items: (B,) int64 codes.
    """

    users: Tensor
    items: Tensor


@dataclass(frozen=True, slots=True)
class Candidates:
    """Items shared by all rows of a batch. A row's own positives among them are masked by the step.

    Args:
        codes: (N,) int64; an item may occur more than once.
        log_q: (N,) log probability of each to be the item of one draw; None if it is not known.
        distinct: Whether it is certain that no item occurs twice among those before the explicit ones.
        explicit: Number of candidates, the last ones, that are negatives only of the users who dislike them.
    """

    codes: Tensor
    log_q: Tensor | None
    distinct: bool = False
    explicit: int = 0


@dataclass(frozen=True, slots=True)
class Population:
    """What samplers know of the items.

    Args:
        counts: (I,) float, interactions of each item in the training set, on the device of the batches.
        score: Present scores (B, P) of users (B,) with items (P,), without gradient.
        nearest: Maps two numbers, how many to skip and how many to list, to the items (U, count) nearest to
            each user at present among those not chosen, nearest first. It scores all pairs.
        disliked: Maps users (n,) to one random item each that they dislike (n,); item 0 for a user without
            any. None if the log holds no dislikes.
    """

    counts: Tensor
    score: Callable[[Tensor, Tensor], Tensor]
    nearest: Callable[[int, int], Tensor]
    disliked: Callable[[Tensor, Generator], Tensor] | None = None


# A batch and a generator on its device -> candidates. Vectorised, without a round trip to the host.
Draw: TypeAlias = Callable[[Positives, "Generator"], Candidates]


class Sampler(Protocol):
    """A rule for drawing candidates; its fields are its options."""

    def over(self, catalogue: Population) -> Draw:
        """The draw over one catalogue; any state is kept in the result."""
        ...

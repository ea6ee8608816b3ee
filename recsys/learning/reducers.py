"""From summands to one number, as a total and a count, so that blocks of a batch add up exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import torch
from torch import Tensor

from recsys.learning.pairs import Terms


@dataclass(frozen=True, slots=True)
class Reduced:
    """A total and what it is divided by.

    Args:
        total: () float32 or wider, carries the gradient.
        count: () of the same type, without gradient.
    """

    total: Tensor
    count: Tensor

    def __add__(self, other: Reduced) -> Reduced:
        return Reduced(self.total + other.total, self.count + other.count)

    def value(self) -> Tensor:
        """``total / count``; 0 with zero gradient if nothing was counted."""
        return self.total / self.count.clamp(min=1.0)


def mean(terms: Terms) -> Reduced:
    """The mean of the used summands.

    Example:
        >>> terms = Terms(torch.tensor([3.0, 0.0, 9.0]), torch.tensor([True, True, False]))
        >>> mean(terms).value().item(), active(terms).value().item(), total(terms).value().item()
        (1.5, 3.0, 3.0)
    """
    summed = _sum(terms)
    return Reduced(summed, terms.mask.sum().to(summed.dtype))


def active(terms: Terms) -> Reduced:
    """The mean of the used summands that are not zero, so that solved ones do not dilute the step.

    Source: Hermans et al. 2017, In Defense of the Triplet Loss, section 2 (the mean of the non-zero terms).
    """
    summed = _sum(terms)
    return Reduced(summed, (terms.mask & (terms.values.detach() != 0)).sum().to(summed.dtype))


def total(terms: Terms) -> Reduced:
    """The plain sum of the used summands."""
    summed = _sum(terms)
    # The count is 0, which divides by 1: with a count of 1 per block the sum would become a mean over blocks.
    return Reduced(summed, torch.zeros_like(summed.detach()))


Reducer: TypeAlias = Callable[[Terms], Reduced]
REDUCERS: Final[Mapping[str, Reducer]] = {"mean": mean, "active": active, "sum": total}


def _sum(terms: Terms) -> Tensor:
    wide = torch.promote_types(terms.values.dtype, torch.float32)
    return terms.values.masked_fill(~terms.mask, 0.0).sum(dtype=wide)

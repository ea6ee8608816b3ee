"""Parameters that a loss learns besides the vectors: a boundary, a margin per user, a margin per item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

if TYPE_CHECKING:
    from recsys.learning.losses.loss import Loss


@dataclass(frozen=True, slots=True)
class Learned:
    """A table of one column, updated by the optimiser of the vectors and saved with them.

    Args:
        name: Its key in ``Pairs.learned``.
        rows: Whether there is one number for all, one per user, or one per item (that of the row's positive).
        start: Initial value.
        low: Lower bound, enforced after each step.
        high: Upper bound, enforced after each step.
    """

    name: str
    rows: Literal["one", "users", "items"]
    start: float
    low: float
    high: float


@runtime_checkable
class Learning(Protocol):
    """A loss with parameters of its own, which it is given in ``Pairs.learned``."""

    def parameters(self) -> tuple[Learned, ...]:
        """Its parameters; none with some options."""
        ...


def parameters(loss: Loss) -> tuple[Learned, ...]:
    """The parameters of a loss; most have none."""
    return loss.parameters() if isinstance(loss, Learning) else ()


def starts(loss: Loss, rows: int) -> dict[str, Tensor]:
    """Initial parameters for B rows: name -> (B,).

    Example:
        >>> from recsys.learning.losses.margin import Margin
        >>> starts(Margin(boundary=0.5), 2)
        {'boundary': tensor([0.5000, 0.5000])}
    """
    return {each.name: torch.full((rows,), each.start) for each in parameters(loss)}

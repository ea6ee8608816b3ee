"""Numbers that a loss learns beside the vectors: a boundary, a margin a user, a margin an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

if TYPE_CHECKING:
    from recsys.learning.losses.loss import Loss


@dataclass(frozen=True, slots=True)
class Learned:
    """A table of one column, stepped by the optimiser of the vectors and kept with them.

    Args:
        name: By which ``Pairs.learned`` holds it.
        rows: Whether there is one number for all, one a user, or one an item (that of the row's positive).
        start: Its value at first.
        low: No step brings it below.
        high: No step brings it above.
    """

    name: str
    rows: Literal["one", "users", "items"]
    start: float
    low: float
    high: float


@runtime_checkable
class Learning(Protocol):
    """A loss that learns numbers of its own: it finds them in ``Pairs.learned``."""

    def parameters(self) -> tuple[Learned, ...]:
        """What it learns; nothing where its options say so."""
        ...


def parameters(loss: Loss) -> tuple[Learned, ...]:
    """What a loss learns; most learn nothing."""
    return loss.parameters() if isinstance(loss, Learning) else ()


def starts(loss: Loss, rows: int) -> dict[str, Tensor]:
    """The learned numbers of B rows before any step: name -> (B,).

    Example:
        >>> from recsys.learning.losses.margin import Margin
        >>> starts(Margin(boundary=0.5), 2)
        {'boundary': tensor([0.5000, 0.5000])}
    """
    return {each.name: torch.full((rows,), each.start) for each in parameters(loss)}

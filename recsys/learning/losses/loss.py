"""What a loss is: scores in, summands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from recsys.learning.pairs import Pairs, Terms


class Loss(Protocol):
    """Scores to summands; sees neither embeddings nor labels.

    Rows are independent of each other, so that a step may go through the (B, N) matrix in blocks of rows.
    A loss without state is a frozen dataclass; one with learnable parameters is an ``nn.Module``, and the
    loop gives its parameters to an optimiser of their own.

    Attributes:
        needs_cross: Whether ``pairs.cross`` must be there.
        needs_bounded: Whether scores must lie in [-1, 1], as a cosine does.
    """

    @property
    def needs_cross(self) -> bool:
        """Whether ``pairs.cross`` must be there."""
        ...

    @property
    def needs_bounded(self) -> bool:
        """Whether scores must lie in [-1, 1]."""
        ...

    def __call__(self, pairs: Pairs) -> Terms:
        """Summands of the objective, to be made one number by a reducer."""
        ...

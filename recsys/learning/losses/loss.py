"""The interface of losses: scores in, summands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from recsys.learning.pairs import Pairs, Scores, Slopes, Terms
    from recsys.learning.regularizers import Regularizer


class Loss(Protocol):
    """Scores to summands; sees neither embeddings nor labels.

    Rows are independent of each other, so that a step may go through the (B, N) matrix in blocks of rows. A
    loss is a frozen dataclass; numbers that it learns are kept with the vectors (see ``parameters.py``). An
    option whose best value depends on the log is None; the class variable ``tries`` lists the values worth
    trying, in order, the default in the middle. A model with a validation set chooses among them.

    Attributes:
        needs: Names of the optional fields of ``Pairs`` that must be there.
        needs_bounded: Whether scores must lie in [-1, 1], as a cosine does.

    A class variable ``exempt`` maps a contract of ``tests/contracts/test_losses.py`` that the loss does not
    keep (monotone, gradient, negatives) to the reason; most losses keep all and have none.
    """

    @property
    def needs(self) -> tuple[str, ...]:
        """Optional fields of ``Pairs`` that must be there."""
        ...

    @property
    def needs_bounded(self) -> bool:
        """Whether scores must lie in [-1, 1]."""
        ...

    def __call__(self, pairs: Pairs) -> Terms:
        """Summands of the objective, to be made one number by a reducer."""
        ...


@runtime_checkable
class Sloped(Protocol):
    """A loss with derivatives in closed form: a step makes one pass over the scores, not the ten of autograd.

    They are those of the sum of ``__call__``'s terms; tests compare the two.
    """

    def slopes(self, scores: Scores) -> Slopes | None:
        """Derivatives by the scores; None if the options have no closed form."""
        ...


@runtime_checkable
class Regularized(Protocol):
    """A loss with a second term that depends on the vectors of the batch, not on each user's scores."""

    def regularizer(self) -> Regularizer:
        """What the model adds to the loss."""
        ...


def in_force(loss: Any, option: str) -> float:
    """The value of an option in use; if it is None, the middle of the values worth trying."""
    given: float | None = getattr(loss, option)
    values: Sequence[float] = loss.tries[option]
    return values[len(values) // 2] if given is None else given

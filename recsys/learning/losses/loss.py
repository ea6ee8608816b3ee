"""What a loss is: scores in, summands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from recsys.learning.pairs import Pairs, Scores, Slopes, Terms
    from recsys.learning.regularizers import Regularizer


class Loss(Protocol):
    """Scores to summands; sees neither embeddings nor labels.

    Rows are independent of each other, so that a step may go through the (B, N) matrix in blocks of rows.
    A loss is a frozen dataclass; numbers that it learns are kept beside the vectors (see ``parameters.py``).
    What it leaves to the log is an option that is None; a class variable ``tries`` has the values worth
    trying, in order, the default in the middle. A model that has a valid part chooses.

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
    """A loss that knows its derivatives: a step makes one pass over the scores, not the ten of autograd.

    They are those of the sum of ``__call__``'s terms; a contract test holds the two together.
    """

    def slopes(self, scores: Scores) -> Slopes | None:
        """Derivatives by the scores; None where these options have no closed form."""
        ...


@runtime_checkable
class Regularized(Protocol):
    """A loss with a second half that no user's scores can tell: it is asked of the vectors of the batch."""

    def regularizer(self) -> Regularizer:
        """What the model adds to the loss."""
        ...


def in_force(loss: Any, option: str) -> float:
    """An option as given; the middle of the values worth trying where it is None."""
    given: float | None = getattr(loss, option)
    values: Sequence[float] = loss.tries[option]
    return values[len(values) // 2] if given is None else given

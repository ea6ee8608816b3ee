"""A split: a rule that says which rows are held out."""

from __future__ import annotations

from typing import ClassVar, Protocol

from recsys.columns import TIME
from recsys.data.coded_log import CodedLog, Rule


class Splitter(Protocol):
    """A way to hold rows out: a frozen dataclass whose fields are its options.

    The rule depends on what the rows are and on the seed, never on their order.

    ``--split`` calls it by ``spelled: ClassVar[str]``, followed by its first option, a number.

    Attributes:
        ordered: Whether nothing in train is later than anything held out.
    """

    ordered: ClassVar[bool]

    def rule(self, log: CodedLog, seed: int) -> Rule:
        """Look at the whole log; the rule then marks the held-out rows of a frame of whole users.

        Raises:
            InputError: If the log lacks what the split needs.
        """
        ...

    def again(self, share: float, log: CodedLog) -> Splitter:
        """The same kind of split, for the validation set: about ``share`` of what is left as train."""
        ...


def checked_share(share: float) -> None:
    """Refuse a share outside 0 to 1.

    Raises:
        ValueError: If it is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share:g}; give one from 0 to 1, as 0.2")


def count_of(log: CodedLog, share: float) -> tuple[int, int]:
    """Number of rows, and of those that a share is."""
    rows = sum(len(times) for times in log.column(TIME))
    return rows, round(share * rows)

"""What a split is: a rule that says which rows are held out."""

from __future__ import annotations

from typing import ClassVar, Protocol

from recsys.data.coded_log import Log, Rule


class Splitter(Protocol):
    """A way to hold rows out: a frozen dataclass whose fields are its options.

    The rule depends on what the rows are and on the seed, never on their order.

    Attributes:
        ordered: Whether nothing in train is later than anything held out.
    """

    ordered: ClassVar[bool]

    def rule(self, log: Log, seed: int) -> Rule:
        """Look at the whole log; the rule then marks the held-out rows of a frame of whole users.

        Raises:
            InputError: If the log lacks what the split needs.
        """
        ...

    def again(self, share: float, log: Log) -> Splitter:
        """The same kind of split, for the valid part: about ``share`` of what is left as train."""
        ...

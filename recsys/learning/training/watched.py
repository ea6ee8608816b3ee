"""A miner whose choice is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from recsys.learning.miners.miner import Miner, Moment
from recsys.learning.pairs import Pairs


@dataclass(slots=True)
class Watched:
    """Chooses as another miner does, and counts the pairs that it was given and those that it left.

    The counts stay on the device: nothing waits for them until ``share`` is asked.
    """

    miner: Miner
    _given: Tensor | None = field(default=None, init=False)
    _left: Tensor | None = field(default=None, init=False)

    @property
    def needs(self) -> tuple[str, ...]:
        """What the other miner needs."""
        return self.miner.needs

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """The other miner's mask (B, N)."""
        mask = self.miner(pairs, moment)
        given, left = pairs.mask.sum(), mask.sum()
        self._given = given if self._given is None else self._given + given
        self._left = left if self._left is None else self._left + left
        return mask

    @property
    def share(self) -> float | None:
        """Share of the pairs that it left; None where it was given none."""
        if self._given is None or self._left is None or not bool(self._given):
            return None
        return float(self._left / self._given)

"""A miner that counts what another miner selects."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from recsys.learning.miners.miner import Miner, Moment, Narrowing
from recsys.learning.pairs import Pairs, Scores


@dataclass(slots=True)
class CountingMiner:
    """Selects as another miner does, and counts the pairs that it was given and those that it left.

    The counts stay on the device: the host does not wait for them until ``share`` is read.
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
        self._count(pairs.mask.sum(), mask.sum())
        return mask

    def narrow(self, scores: Scores) -> Scores | None:
        """What the other miner leaves of the scores; see ``Narrowing``."""
        narrowed = self.miner.narrow(scores) if isinstance(self.miner, Narrowing) else None
        if narrowed is not None:
            self._count(scores.total(), narrowed.total())
        return narrowed

    def _count(self, given: Tensor, left: Tensor) -> None:
        self._given = given if self._given is None else self._given + given
        self._left = left if self._left is None else self._left + left

    @property
    def share(self) -> float | None:
        """Share of the pairs that it left; None if it was given none."""
        if self._given is None or self._left is None or not bool(self._given):
            return None
        return float(self._left / self._given)

"""Every negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs, Scores


@dataclass(frozen=True)
class Everything:
    """Every used negative; nothing is left out."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        return pairs.mask

    def narrow(self, scores: Scores) -> Scores:
        """The scores as they are; see ``Narrowing``."""
        return scores

"""The alignment of DirectAU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class Alignment:
    """A user and the chosen item should be the same point of the sphere; negatives have no say.

    ``|u - p| ** 2 = 2 - 2 pos`` for unit vectors. Alone it puts everything in one point: it goes with the
    regulariser ``Uniformity``, and the two are DirectAU.

    Returns:
        Terms (B,).

    Source: Wang et al. 2022, Towards Representation Alignment and Uniformity in Collaborative Filtering,
    equation 5.

    Example:
        >>> pairs = Pairs(torch.tensor([0.25]), torch.zeros(1, 1), torch.zeros(1, 1, dtype=torch.bool))
        >>> Alignment()(pairs).values
        tensor([1.5000])
    """

    needs_cross: ClassVar[bool] = False
    needs_bounded: ClassVar[bool] = True

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        return Terms(2 - 2 * pairs.pos, torch.ones_like(pairs.pos, dtype=torch.bool))

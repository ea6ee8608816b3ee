"""Direct optimisation of alignment and uniformity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms
from recsys.learning.regularizers import Uniformity


@dataclass(frozen=True)
class DirectAU:
    """A user and the chosen item should be the same point of the sphere, and points should be spread out.

    ``|u - p| ** 2 = 2 - 2 pos`` for unit vectors: the alignment. Alone it would collapse all vectors to one
    point; the uniformity that prevents this is not a function of a user's scores, so the model adds it as a
    regulariser of the batch's vectors (see ``Uniformity``). Negatives are not used.

    Args:
        weight: Of the uniformity, gamma in the paper; positive. Use less if users have much in common, as in
            a dense log; the paper tunes it in 0.2..10.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If weight is not positive.

    Source: Wang et al. 2022, Towards Representation Alignment and Uniformity in Collaborative Filtering,
    equations 5 to 7.

    Example:
        >>> pairs = Pairs(torch.tensor([0.25]), torch.zeros(1, 1), torch.zeros(1, 1, dtype=torch.bool))
        >>> DirectAU()(pairs).values
        tensor([1.5000])
    """

    weight: float = 0.3

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True
    exempt: ClassVar[Mapping[str, str]] = {"negatives": "it learns from positives alone"}

    def __post_init__(self) -> None:
        self.regularizer()

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        return Terms(2 - 2 * pairs.pos, torch.ones_like(pairs.pos, dtype=torch.bool))

    def regularizer(self) -> Uniformity:
        """The uniformity; see ``Regularized``."""
        return Uniformity(self.weight)

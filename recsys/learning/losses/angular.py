"""The angular loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.losses.masked import cross_entropy
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class Angular:
    """The angle at the negative of the triangle with the positive pair must be small.

    ``log(1 + sum of e^f)`` over the used negatives, with
    ``f = 4 tan(a)^2 (neg + cross) - 2 (1 + tan(a)^2) pos``: ``neg + cross`` is the product of the negative
    with the sum of the pair.

    Args:
        degrees: The bound a on the angle, in degrees; in (0, 90). 36 to 55 in the source; a wider one pushes
            the hardest negative more, which in a log may be a positive not yet observed.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If degrees is out of its range.

    Source: Wang et al. 2017, Deep Metric Learning with Angular Loss, equations 7 and 8, for vectors of
    length 1.

    Example:
        >>> import torch
        >>> zero = torch.zeros(1, 2)
        >>> pairs = Pairs(torch.zeros(1), zero, torch.ones(1, 2, dtype=torch.bool), cross=zero)
        >>> Angular()(pairs).values  # log 3
        tensor([1.0986])
    """

    degrees: float = 36.0

    needs: ClassVar[tuple[str, ...]] = ("cross",)
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.degrees < 90:
            raise ValueError(f"degrees is {self.degrees}; it must be in (0, 90)")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        assert pairs.cross is not None, "the step makes cross for losses that need it"
        slope = math.tan(math.radians(self.degrees)) ** 2
        far = 4 * slope * (pairs.neg + pairs.cross)  # (B, N)
        return Terms(cross_entropy(2 * (1 + slope) * pairs.pos, far, pairs.mask), pairs.mask.any(1))

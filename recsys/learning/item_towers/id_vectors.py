"""A vector for every item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from recsys.learning.item_towers.item_tower import Items
from recsys.learning.towers.tower import Gather

if TYPE_CHECKING:
    import torch

    from recsys.data.features import Features
    from recsys.data.tables import Interactions


@dataclass(frozen=True)
class IdVectors:
    """A free vector for every item.

    ``v = items[code]``.

    Source: Koren et al. 2009, Matrix factorization techniques for recommender systems.
    """

    def tables(self, items: int) -> Mapping[str, int]:
        """One row per item."""
        return {"items": items}

    def over(self, train: Interactions, features: Features | None, device: torch.device) -> Items:
        """Rows of the table, whatever the features."""

        def vectors(codes: Tensor, rows: Gather) -> Tensor:
            return rows("items", codes)

        return vectors

"""The interface of item towers, which compute vectors of items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from torch import Tensor

from recsys.learning.towers.tower import Gather

if TYPE_CHECKING:
    import torch

    from recsys.data.features import Features
    from recsys.data.tables import Interactions

# Codes of items (n,) and the rows of tables -> vectors (n, D).
Items: TypeAlias = Callable[[Tensor, Gather], Tensor]


class ItemTower(Protocol):
    """Computes vectors of items: a frozen dataclass whose fields are its options."""

    def tables(self, items: int) -> Mapping[str, int | tuple[int, int]]:
        """Tables to be learned, by name: a number of rows, each a vector, or rows and width."""
        ...

    def over(self, train: Interactions, features: Features | None, device: torch.device) -> Items:
        """The tower over one catalogue; the features that it reads are kept in the result, on the device."""
        ...

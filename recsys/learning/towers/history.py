"""Users as sums of the items of their histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from recsys.embeddings import FoldIn
from recsys.learning.towers.distinct import distinct, place_of
from recsys.learning.towers.sums import Bags
from recsys.learning.towers.tower import Gather, Histories, Users

# A history whose weights sum to less counts as empty.
EMPTY = 1e-6


@dataclass(frozen=True)
class History:
    """A user is the sum of the items of the history, and so is a user never seen in training.

    ``u = sum(d_i w_i inputs[i] for i in history) / sum(d_i) ** power``. The decay d_i is 1, or halves with
    every ``position`` items that are newer, or with every so many ``days`` before the newest, or both; w_i is
    1, or learned. In training the target is left out of its own history, or the model would learn to copy it;
    its place stays empty.

    Args:
        power: 0 is the sum, 1 the mean.
        shared: Read the item vectors themselves in place of input vectors of their own.
        weighted: Learn a positive weight per item, ``w_i = e^b_i`` with b_i initially 0: how much it tells
            about the users who chose it.
        position: Half-life in items, counted from the newest; None does not decay.
        days: Half-life in days before the user's newest; None does not decay. A user never seen in training
            has no times: all items count as equally new.
        longest: How many items count, the newest; None for all. It bounds the cost of a step.
        sample: How many items of a history, sampled for each batch and spread evenly over it, represent it in
            training; None reads all. Finished vectors are sums of whole histories. All are read, too, if the
            place in the history matters (``position``, ``longest``).

    Raises:
        ValueError: If an option is outside its range.

    Source: Kabbur et al. 2013, FISM, equation 3, with ``power`` for alpha; decay by time: Ding and Li 2005,
    Time weight collaborative filtering, equation 4.
    """

    power: float = 0.5
    shared: bool = False
    weighted: bool = False
    position: float | None = None
    days: float | None = None
    longest: int | None = None
    sample: int | None = 64

    def __post_init__(self) -> None:
        if not 0 <= self.power <= 1:
            raise ValueError(f"power is {self.power}; it must lie in 0..1, where 0 is the sum and 1 the mean")
        for name in ("position", "days"):
            half_life = getattr(self, name)
            if half_life is not None and not half_life > 0:
                raise ValueError(f"{name} is {half_life}; a half-life must be positive")
        for name in ("longest", "sample"):
            most = getattr(self, name)
            if most is not None and most < 1:
                raise ValueError(f"{name} is {most}; at least 1 item must count")

    @property
    def needs_ages(self) -> bool:
        """Whether the ages of interactions are read."""
        return self.days is not None

    @property
    def enough(self) -> int | None:
        """A sample, unless the place in the history matters."""
        return self.sample if self.position is None and self.longest is None else None

    def tables(self, users: int, items: int) -> Mapping[str, int | tuple[int, int]]:
        """Input vectors of the items, unless they are shared, and their weights, if these are learned."""
        inputs: dict[str, int | tuple[int, int]] = {} if self.shared else {"inputs": items}
        return inputs | ({"weights": (items, 1)} if self.weighted else {})

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D)."""
        table = "items" if self.shared else "inputs"
        chosen = users.histories
        some, inverse = distinct(chosen, self.longest)  # k of the users, each once
        bags = Bags.of(some)
        ends = some.lengths.cumsum(0)
        rank = ends.index_select(0, some.owner) - 1 - torch.arange(len(some.items), device=ends.device)
        inputs = rows(table, bags.items)  # (m, D)
        decay = self._decay(rank, some, inputs.dtype)  # (T,)
        weights = decay
        if self.weighted:
            weights = decay * self._learned(rows, bags.items).index_select(0, bags.places)
        total = bags.sum(inputs, weights)
        mass = torch.zeros_like(total[:, 0]).index_add(0, some.owner, decay)  # (k,)
        total, mass = total.index_select(0, inverse), mass.index_select(0, inverse)  # (n, D), (n,)
        if targets is not None:
            own = self._decay_of(chosen, targets, inputs.dtype)  # (n,)
            weight = own * self._learned(rows, targets) if self.weighted else own
            total = total - weight[:, None] * rows(table, targets)
            mass = mass - own
        divisor = torch.where(mass > EMPTY, mass, 1.0)
        made: Tensor = total / divisor[:, None] ** self.power
        return made

    def fold_in(self) -> tuple[FoldIn, bool]:
        """The tower itself, without the times, which are not known."""
        options = {"power": self.power, "position": self.position, "longest": self.longest}
        given = {name: float(value) for name, value in options.items() if value is not None}
        return FoldIn("sum", given), True

    def _decay(self, rank: Tensor, users: Histories, kind: torch.dtype) -> Tensor:
        """Decay of interactions (T,) by rank from the newest and by age, times their share."""
        ages = users.ages
        decay = torch.ones(len(rank), dtype=kind, device=rank.device)
        if users.share is not None:
            decay = users.share.to(kind)
        if self.position is not None:
            decay = decay * torch.exp2(-rank.to(kind) / self.position)
        if self.days is not None:
            assert ages is not None, "a log gives ages where a tower needs them"
            decay = decay * torch.exp2(-ages.to(kind) / self.days)
        return decay

    def _decay_of(self, users: Histories, targets: Tensor, kind: torch.dtype) -> Tensor:
        """The decay of one item (n,) per history, 0 if it does not count."""
        if self.position is None and self.days is None and self.longest is None and users.share is None:
            return torch.ones(len(targets), dtype=kind, device=targets.device)
        place = place_of(users, targets)  # (n,), -1 where it is not there
        rank = users.lengths.cumsum(0) - 1 - place
        counts = (place >= 0) & (rank < (self.longest or len(users.items) + 1))
        ages, share = (
            None if one is None else one.index_select(0, place.clamp(min=0))
            for one in (users.ages, users.share)
        )
        found = replace(users, ages=ages, share=share)
        return torch.where(counts, self._decay(rank, found, kind), 0.0)

    def _learned(self, rows: Gather, codes: Tensor) -> Tensor:
        """Weights (n,) of items (n,)."""
        return rows("weights", codes)[:, 0].exp()

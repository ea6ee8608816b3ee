"""Inputs of losses and miners besides scores, computed once for all rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from recsys.learning.losses.loss import Loss
from recsys.learning.losses.parameters import Learned, parameters
from recsys.learning.towers.tower import Gather


@dataclass(frozen=True, slots=True)
class PairInputs:
    """One number per row of a batch, or None if neither loss nor miner needs it; see ``Pairs``.

    Args:
        easiest: (B,) bool.
        hardness: (B,) in (0, 1).
        learned: (B, 1) of each name, or (1, 1) if there is one for all; leaves of the graph.
    """

    easiest: Tensor | None = None
    hardness: Tensor | None = None
    learned: Mapping[str, Tensor] = field(default_factory=dict)

    def of(self, rows: slice) -> tuple[Tensor | None, Tensor | None, dict[str, Tensor]]:
        """Each of some rows (b,)."""
        size = rows.stop - rows.start
        learned = {
            name: (leaf[rows] if len(leaf) > 1 else leaf.expand(size, 1))[:, 0]
            for name, leaf in self.learned.items()
        }
        nearest, hard = (None if one is None else one[rows] for one in (self.easiest, self.hardness))
        return nearest, hard, learned


def learned(loss: Loss, users: Tensor, items: Tensor, rows: Gather) -> dict[str, Tensor]:
    """Gather the parameters of a loss for users (B,) and their positives (B,); see ``PairInputs``."""
    codes = {"one": torch.zeros_like(users[:1]), "users": users, "items": items}
    return {each.name: rows(table(each), codes[each.rows]) for each in parameters(loss)}


def table(each: Learned) -> str:
    """The name of the table that holds it."""
    return f"loss.{each.name}"


def easiest(users: Tensor, scores: Tensor) -> Tensor:
    """Which rows no other row of the same user outscores: (B,), (B,) -> (B,) bool.

    Example:
        >>> easiest(torch.tensor([7, 3, 7]), torch.tensor([0.1, 0.2, 0.3]))
        tensor([False,  True,  True])
    """
    owner = torch.unique(users, return_inverse=True)[1]
    best = torch.full_like(scores, float("-inf")).scatter_reduce(0, owner, scores, "amax")
    return scores >= best.index_select(0, owner)


def hardness(counts: Tensor) -> Tensor:
    """How little popularity explains that an item was chosen: ``c / (c + counts)``, c the mean: (I,) -> (I,).

    A softmax over items that knows nothing but how often each was chosen is best with the score
    ``log counts``. This is one minus the sigmoid of that score less ``log c``: the probability with which it
    would prefer an item of average popularity. An item of average popularity has 1/2; the most popular of a
    long tail is near 0, an item that hardly anybody chose near 1.

    Source: Zhang et al. 2022, Incorporating Bias-aware Margins into Contrastive Loss for Collaborative
    Filtering, whose predictor of popularity is a second model, learned with the first: a vector for each
    popularity of a user and of an item, compared by a softmax. Here the predictor is in closed form; that
    active users choose the long tail more often, which takes a learned one, is ignored.

    Example:
        >>> hardness(torch.tensor([1.0, 3.0, 5.0]))
        tensor([0.7500, 0.5000, 0.3750])
    """
    counts = counts.float()
    typical = counts.mean()
    return typical / (typical + counts)

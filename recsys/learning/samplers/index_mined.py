"""Items near the users by an index of the present vectors, and random others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives
from recsys.learning.samplers.uniform import Uniform


@dataclass(frozen=True)
class IndexMined:
    """Items that an index, renewed every epoch, finds near the users of the batch, and random others.

    When an epoch begins, every item that a user has not chosen is ranked for that user, exactly. The nearest
    ``floor(too_near * I)`` are left out, as likely to be liked and not yet observed; the next ``depth`` are
    kept until the epoch ends, which takes ``4 * depth`` bytes per user. A proposed candidate is a random item
    of the list of a random row of the batch; the others are drawn uniformly, so that a softmax or a hinge
    still sees easy ones.

    Candidates are shared: an item too near to one user may be proposed for another, or be drawn uniformly;
    the miner ``guard`` leaves it out for each user. They come without probabilities: a loss that corrects for
    these would reduce the weight of hard items by as much as the index draws them more often.

    Args:
        candidates: Number drawn for a batch, N; at least 1.
        share: Share of the candidates that the index proposes; in [0, 1).
        too_near: Share of the items, the nearest ones, left out for each user; in [0, 1).
        depth: Length of the list that each user's items are proposed from, or all after ``too_near`` if these
            are fewer; at least 1.

    Raises:
        ValueError: If an option is out of its range.

    Source: Xiong et al. 2021, Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text
    Retrieval, sections 4 and 5 (an index of a past state, renewed periodically; negatives drawn uniformly
    from the top 200), here with an exact index; Robinson et al. 2021, Contrastive Learning with Hard Negative
    Samples, section 3, principles 1 and 2 (true negatives, of those the near ones), for ``too_near``.
    """

    candidates: int = 1024
    share: float = 0.5
    too_near: float = 0.01
    depth: int = 200

    def __post_init__(self) -> None:
        for name in ("candidates", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("share", "too_near"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [0, 1)")

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items, whose index is of the vectors as they are now."""
        items, device = len(catalogue.counts), catalogue.counts.device
        skipped = int(self.too_near * items)
        lists = catalogue.nearest(skipped, min(self.depth, items - skipped))  # (U, depth)
        proposed = int(self.share * self.candidates)
        spread = Uniform(self.candidates - proposed).over(catalogue)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            rows = torch.randint(len(batch.users), (proposed,), generator=rng, device=device)
            places = torch.randint(lists.shape[1], (proposed,), generator=rng, device=device)
            near = lists[batch.users.index_select(0, rows), places].long()
            return Candidates(torch.cat([near, spread(batch, rng).codes]), None)

        return draw

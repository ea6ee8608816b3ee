"""What the index of the present vectors proposes, and some of everything else."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives
from recsys.learning.samplers.uniform import Uniform


@dataclass(frozen=True)
class IndexMined:
    """Items that an index, renewed every epoch, finds near to the users of the batch, and some others.

    When an epoch begins, every item that a user has not chosen is ranked for that user, exactly. The nearest
    ``floor(too_near * I)`` are left out, as likely to be liked and not yet observed; the next ``depth`` are
    kept until the epoch ends, which takes ``4 * depth`` bytes a user. A proposed candidate is a random place
    of the list of a random row of the batch; the others are drawn evenly, so that a softmax or a hinge still
    sees easy ones.

    Candidates are shared: what is too near to one user may be proposed for another, or be drawn evenly; the
    miner ``guard`` leaves it out for each user. No probability comes with them: a loss that corrects for it
    would weigh hard items down by as much as the index draws them more often.

    Args:
        candidates: Number drawn for a batch, N; at least 1.
        share: Of the candidates, that of the index; in [0, 1).
        too_near: Of the items, how many of the nearest are left out for each user; in [0, 1).
        depth: Places of each list that are proposed from, or all behind ``too_near`` where these are fewer;
            at least 1.

    Raises:
        ValueError: If an option is out of its range.

    Source: Xiong et al. 2021, Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text
    Retrieval, sections 4 and 5 (an index of a past state, renewed now and then; negatives drawn evenly from
    the top 200), here with an exact index; Robinson et al. 2021, Contrastive Learning with Hard Negative
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

"""What users know and do not like, as negatives of these users alone, and some of everything."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from recsys.errors import InputError
from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives
from recsys.learning.samplers.uniform import Uniform


@dataclass(frozen=True)
class ExplicitNegatives:
    """Items rated below ``--positive-from``, as negatives of who rated them so, and random others.

    Each explicit candidate is a random one of the items that the user of a random row of the batch dislikes;
    it is a negative of all users of the batch who dislike it, and of nobody else. The others are drawn as by
    ``uniform``, and an item may be among both: who dislikes it has it as two negatives. No probability comes
    with the candidates.

    A user's dislikes are thus a part of that user's negatives which grows with ``share``, and is small where
    users dislike a small part of a batch's explicit candidates.

    Args:
        candidates: Number drawn for a batch, N; at least 1.
        share: Of the candidates, that of explicit ones; in [0, 1).

    Raises:
        ValueError: If an option is out of its range.
        InputError: (from ``over``) If the log holds no dislikes.
    """

    candidates: int = 1024
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}; it must be at least 1")
        if not 0 <= self.share < 1:
            raise ValueError(f"share is {self.share}; it must be in [0, 1)")

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items."""
        disliked = catalogue.disliked
        if disliked is None:
            raise InputError(
                "sampler explicit_negatives learns from rows below --positive-from, and there are none; make "
                "the dataset with recsys etl --positive-from, or take another sampler"
            )
        explicit = int(self.share * self.candidates)
        spread = Uniform(self.candidates - explicit).over(catalogue)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            rows = torch.randint(len(batch.users), (explicit,), generator=rng, device=batch.users.device)
            own = disliked(batch.users.index_select(0, rows), rng)  # (E,)
            codes = torch.cat([spread(batch, rng).codes, own])
            return Candidates(codes, None, distinct=True, explicit=explicit)

        return draw

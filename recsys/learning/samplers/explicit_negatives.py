"""Dislikes as negatives of the users who have them, and random items for all users."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from recsys.errors import InputError
from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives
from recsys.learning.samplers.uniform import Uniform


@dataclass(frozen=True)
class ExplicitNegatives:
    """Items rated below ``--positive-from``, as negatives of the users who rated them, and random others.

    Each explicit candidate is a random one of the items that the user of a random row of the batch dislikes;
    it is a negative of all users of the batch who dislike it, and of no other user. The others are drawn as
    by ``uniform``, and an item may be among both: a user who dislikes it has it as two negatives. The
    candidates come without probabilities.

    The proportion of dislikes among a user's negatives thus grows with ``share``, and is small if users
    dislike a small part of a batch's explicit candidates.

    Args:
        candidates: Number drawn for a batch, N; at least 1.
        share: Share of explicit candidates; in [0, 1).

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

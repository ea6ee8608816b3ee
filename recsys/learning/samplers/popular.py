"""Candidates drawn by popularity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives


@dataclass(frozen=True)
class Popular:
    """Items drawn with replacement, each in proportion to a power of its number of interactions.

    ``q(i) = counts[i] ** alpha / sum(counts ** alpha)``.

    Args:
        candidates: Number drawn for a batch, N; at least 1.
        alpha: 0 is uniform, 1 is popularity itself; not negative.

    Raises:
        ValueError: If candidates is below 1 or alpha is negative.

    Source: Mikolov et al. 2013, Distributed Representations of Words and Phrases, section 2.2 (alpha 3/4).
    """

    candidates: int = 1024
    alpha: float = 0.75

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}; it must be at least 1")
        if not self.alpha >= 0:
            raise ValueError(f"alpha is {self.alpha}; it must not be negative")

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items."""
        # The inverse of the distribution function in float64: torch.multinomial goes through all items in
        # each call, and takes at most 2 ** 24 of them.
        shares = catalogue.counts.double() ** self.alpha
        below = shares.cumsum(0)
        below, log_q = below / below[-1], (shares / below[-1]).log().to(torch.float32)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            uniform = torch.rand(self.candidates, generator=rng, dtype=torch.float64, device=below.device)
            codes = torch.searchsorted(below, uniform, right=True)
            return Candidates(codes, log_q[codes])

        return draw

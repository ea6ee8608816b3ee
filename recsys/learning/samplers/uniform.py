"""Candidates drawn evenly from the catalogue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Catalogue, Draw, Positives


@dataclass(frozen=True)
class Uniform:
    """Every item is as likely; drawn with replacement.

    ``q(i) = 1 / I``.

    Args:
        candidates: Number drawn for a batch, N; at least 1.

    Raises:
        ValueError: If candidates is below 1.
    """

    candidates: int = 1024

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}; it must be at least 1")

    def over(self, catalogue: Catalogue) -> Draw:
        """The draw over a catalogue of I items."""
        items, device = len(catalogue.counts), catalogue.counts.device
        log_q = torch.full((self.candidates,), -math.log(items), device=device)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            codes = torch.randint(items, (self.candidates,), generator=rng, device=device)
            return Candidates(codes, log_q)

        return draw

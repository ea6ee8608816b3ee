"""The whole catalogue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives


@dataclass(frozen=True)
class Full:
    """Every item is a candidate of every batch, so that a softmax over candidates is the full softmax.

    ``N = I`` and ``q(i) = 1 / I``. A step costs as many scores as the catalogue has items: for catalogues
    up to some ten thousand.
    """

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items."""
        items, device = len(catalogue.counts), catalogue.counts.device
        codes = torch.arange(items, device=device)
        log_q = torch.full((items,), -math.log(items), device=device)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            return Candidates(codes, log_q)

        return draw

"""Candidates drawn uniformly from the catalogue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives

STRIDES = 4096


@dataclass(frozen=True)
class Uniform:
    """Every item is equally likely and none is drawn twice; all items if the catalogue is no larger.

    ``q(i) = 1 / I``. A walk around the catalogue, from a random item with a random stride that shares no
    factor with I, meets no item twice in I steps, and costs the same however large the catalogue is.

    Args:
        candidates: Number drawn for a batch, N; at least 1.

    Raises:
        ValueError: If candidates is below 1.
    """

    candidates: int = 1024

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}; it must be at least 1")

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items."""
        items, device = len(catalogue.counts), catalogue.counts.device
        steps = torch.arange(min(self.candidates, items), device=device)
        log_q = torch.full((len(steps),), -math.log(items), device=device)
        strides = _strides(items).to(device)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            first = torch.randint(items, (1,), generator=rng, device=device)
            which = torch.randint(len(strides), (1,), generator=rng, device=device)
            codes = (steps * strides[which] + first).remainder_(items)
            return Candidates(codes, log_q, distinct=True)

        return draw


def _strides(items: int) -> torch.Tensor:
    """Up to ``STRIDES`` numbers below ``items``, spread evenly, that share no factor with it."""
    some = torch.linspace(1, max(items - 1, 1), min(items, 2 * STRIDES), dtype=torch.float64).long()
    return some[torch.gcd(some, torch.tensor(items)) == 1]

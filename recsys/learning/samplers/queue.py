"""The positives of recent batches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives


@dataclass(frozen=True)
class Queue:
    """The positives of this batch and those before it, the latest N of them.

    ``q(i) = counts[i] / sum(counts)``, as for ``in_batch``, but with any number of candidates. Items are
    kept, not their vectors: these are read in each step, so none is out of date. At the start of an epoch the
    queue is filled at random with the same q.

    Args:
        candidates: Length of the queue, N; at least 1.

    Raises:
        ValueError: If candidates is below 1.

    Source: Wang et al. 2020, Cross-Batch Memory for Embedding Learning, algorithm 1, and Wang et al. 2021,
    Cross-Batch Negative Sampling for Training Two-Tower Recommenders, with present in place of past vectors.
    """

    candidates: int = 4096

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}; it must be at least 1")

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items; it has a state, so every epoch makes its own."""
        counts = catalogue.counts.double()
        below = counts.cumsum(0)
        below, log_q = below / below[-1], (counts / below[-1]).log().to(torch.float32)
        memory: list[Tensor] = []

        def draw(batch: Positives, rng: Generator) -> Candidates:
            if not memory:
                uniform = torch.rand(self.candidates, generator=rng, dtype=torch.float64, device=below.device)
                memory.append(torch.searchsorted(below, uniform, right=True))
            memory[0] = torch.cat([batch.items, memory[0]])[: self.candidates]
            return Candidates(memory[0], log_q[memory[0]])

        return draw

"""The positives of a batch are its candidates."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives


@dataclass(frozen=True)
class InBatch:
    """Each row is compared with the positives of all rows, so N = B and no further vector is read.

    ``q(i) = counts[i] / sum(counts)``, as batches are drawn uniformly from the interactions. Accidental hits,
    a row's own positive among them, are masked by the step like every known positive.

    Source: Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations,
    section 3, with counted in place of streaming frequencies.
    """

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items."""
        counts = catalogue.counts.double()
        log_q = (counts / counts.sum()).log().to(torch.float32)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            return Candidates(batch.items, log_q[batch.items])

        return draw

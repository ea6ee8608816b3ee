"""The hardest candidates of a larger pool."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator

from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives
from recsys.learning.samplers.uniform import Uniform


@dataclass(frozen=True)
class DynamicHard:
    """Of a pool drawn uniformly, the items that are hardest for the users of the batch at present.

    Each user spreads one vote over the pool, by the softmax of the present scores over the temperature; the N
    items with the most votes are the candidates. The sampling probability of an item is not known.

    Args:
        candidates: Number taken for a batch, N; at least 1.
        pool: Number they are chosen from, or the whole catalogue if that is smaller; at least N.
        temperature: In units of the distance's score; positive. Towards 0 each user votes for one item.

    Raises:
        ValueError: If an option is out of its range.

    Source: Zhang et al. 2013, Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling,
    section 4, for candidates that a batch shares: there each user takes the highest of a pool of its own,
    which is the miner ``hardest`` with its ``pool`` and the sampler ``uniform``.
    """

    candidates: int = 512
    pool: int = 4096
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise ValueError(f"candidates is {self.candidates}; it must be at least 1")
        if self.pool < self.candidates:
            raise ValueError(f"pool is {self.pool}; it must be at least candidates, {self.candidates}")
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be positive")

    def over(self, catalogue: Population) -> Draw:
        """The draw over a catalogue of I items."""
        spread = Uniform(self.pool).over(catalogue)

        def draw(batch: Positives, rng: Generator) -> Candidates:
            pool = spread(batch, rng).codes  # (P,), none twice
            scores = catalogue.score(batch.users, pool).detach().float()  # (B, P)
            votes = (scores / self.temperature).softmax(1).sum(0)  # (P,)
            hardest = votes.topk(min(self.candidates, len(pool))).indices  # (N,)
            return Candidates(pool[hardest], None, distinct=True)

        return draw

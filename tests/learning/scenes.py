"""Small scenes for losses, miners and distances: random points, their scores, and the masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from recsys import plugins
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class Scene:
    """Points in float64: users (B, D), positives (B, D), candidates (N, D), mask (B, N), log_q (N,)."""

    users: Tensor
    positives: Tensor
    candidates: Tensor
    mask: Tensor
    log_q: Tensor

    def pairs(self, distance: str = "cosine", **options: float) -> Pairs:
        made = plugins.make("distances", distance, options)
        lengths = self.users.norm(dim=1) * self.positives.norm(dim=1)
        return Pairs(
            made.similarity(self.users, self.positives),
            made.matrix(self.users, self.candidates),
            self.mask,
            self.log_q,
            made.matrix(self.positives, self.candidates),
            torch.ones_like(lengths) if made.bounded else lengths,
            torch.arange(len(self.users)) % 3 != 1,
            1 / (2.0 + torch.arange(len(self.users), dtype=torch.float64)),
        )

    def triplets(self) -> tuple[Tensor, Tensor, Tensor]:
        """Indices (anchor, positive, negative) of the used triplets into ``points()``."""
        row, column = self.mask.nonzero(as_tuple=True)
        return row, row + len(self.users), column + 2 * len(self.users)

    def points(self) -> Tensor:
        return torch.cat([self.users, self.positives, self.candidates])


def scene(rows: int = 6, candidates: int = 5, dim: int = 4, seed: int = 0, used: float = 0.8) -> Scene:
    """A scene in which a share ``used`` of the candidates are negatives of a row."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(candidates))
    return Scene(
        torch.from_numpy(rng.normal(size=(rows, dim))),
        torch.from_numpy(rng.normal(size=(rows, dim))),
        torch.from_numpy(rng.normal(size=(candidates, dim))),
        torch.from_numpy(rng.random((rows, candidates)) < used),
        torch.from_numpy(np.log(chances)),
    )


def scenes() -> st.SearchStrategy[Scene]:
    """Scenes of 1 to 8 rows, 1 to 5 candidates and 2 to 4 dimensions; rows without a negative occur."""
    return st.builds(
        scene,
        rows=st.integers(1, 8),
        candidates=st.integers(1, 5),
        dim=st.integers(2, 4),
        seed=st.integers(0, 2**20),
        used=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    )

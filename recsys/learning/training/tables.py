"""The vectors that are learned, and how rows of them are read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.learning.training.optimizers import Optimizer, ParameterTable, update
from recsys.storage.arrays import FloatArray

Project: TypeAlias = Callable[[Tensor], Tensor]


@dataclass(slots=True)
class Tables:
    """Named tables and one optimiser. Rows are leaves of the graph, updated after ``backward``.

    No gradient has the size of a table: what a batch does not touch costs nothing. ``projects``, for some of
    the tables, project changed rows back onto the allowed set.
    """

    tables: dict[str, ParameterTable]
    optimizer: Optimizer
    projects: dict[str, Project] = field(default_factory=dict)
    _gathered: list[tuple[str, Tensor, Tensor]] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        shapes: Mapping[str, int | tuple[int, int]],
        dim: int,
        optimizer: Optimizer,
        rng: torch.Generator,
        project: Project | None = None,
        length: float = 1.0,
    ) -> Tables:
        """Initialise tables, in the order of their names.

        An int shape ``n`` gives ``(n, dim)`` Gaussian rows of expected norm ``length``; a tuple ``(n, w)``
        gives zeros.
        """
        tables = cls({}, optimizer)
        for name, shape in sorted(shapes.items()):
            if isinstance(shape, tuple):
                weights = torch.zeros(shape, device=rng.device)
            else:
                weights = torch.randn(shape, dim, generator=rng, device=rng.device) * (length / dim**0.5)
            tables.add(name, weights, project)
        return tables

    def add(self, name: str, weights: Tensor, project: Project | None = None) -> None:
        """Add a table (n, D) with initial values and a projection; D may differ from that of other tables."""
        self.tables[name] = ParameterTable(weights, self.optimizer.state(weights))
        if project is not None:
            self.projects[name] = project

    def __getitem__(self, name: str) -> Tensor:
        return self.tables[name].weights

    def place(self, name: str, vectors: FloatArray, rows: npt.NDArray[np.bool_]) -> None:
        """Put vectors (n, D) in place of some rows (n,) of a table, before any step.

        Columns in which they are all 0, past the rank of their source, keep their random start: nothing is
        learned in a direction in which no two rows differ.
        """
        weights, there = self[name], torch.from_numpy(rows)
        placed = torch.from_numpy(vectors[rows]).to(weights)
        filled = (placed != 0).any(0)
        places = there.to(weights.device)
        weights[places] = torch.where(filled, placed, weights[places])

    def gather(self, table: str, codes: Tensor) -> Tensor:
        """Rows (n,) of a table as a leaf (n, D), remembered until ``update``."""
        leaf = self[table].index_select(0, codes).requires_grad_()
        self._gathered.append((table, codes, leaf))
        return leaf

    def read(self, table: str, codes: Tensor) -> Tensor:
        """Rows (n,) of a table (n, D), without gradient."""
        return self[table].index_select(0, codes)

    @torch.no_grad()
    def update(self) -> None:
        """Change every gathered row by its gradient; each table once, however often it was read."""
        for name in dict.fromkeys(name for name, _, _ in self._gathered):
            read = [(codes, leaf) for table, codes, leaf in self._gathered if table == name]
            each = zip(*((codes, leaf.detach(), gradient(leaf)) for codes, leaf in read), strict=True)
            codes, rows, gradients = (one[0] if len(one) == 1 else torch.cat(one) for one in each)
            update(self.tables[name], codes, rows, gradients, self.optimizer, self.projects.get(name))
        self._gathered.clear()


def gradient(leaf: Tensor) -> Tensor:
    """The gradient that ``backward`` left at a leaf; zeros if it left none."""
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad

"""The true nearest items, found where the vectors were trained: the same lists as ``exact``, by torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from recsys import plugins
from recsys.errors import RecsysError
from recsys.learning.distances.distance import Distance
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import check
from recsys.storage.arrays import Codes, FloatArray

if TYPE_CHECKING:
    import torch

# Scores held at once: 512 MB of float32, whatever the number of vectors.
BLOCK_SCORES: Final = 1 << 27
# Fetched beyond k, so that a few equal scores at the end of a list can be put in the order of their codes.
SPARE: Final = 8


@dataclass
class ExactOnDevice:
    """Compares a vector with every item on a device; the lists are the true ones, equal scores by code.

    Only the vectors go to the device and only the lists come back.

    Args:
        distance: Name of a part in ``recsys/learning/distances``.
        device: As torch names it.
        block_scores: Scores held at once.

    Example:
        >>> items = np.array([[1.0], [3.0], [2.0], [3.0]], dtype=np.float32)
        >>> index = ExactOnDevice("dot", "cpu").build(items)
        >>> codes, scores = index.query(np.array([[1.0]], dtype=np.float32), k=3)
        >>> codes.tolist(), scores.tolist()
        ([[1, 3, 2]], [[3.0, 3.0, 2.0]])
    """

    distance: str
    device: str
    block_scores: int = BLOCK_SCORES
    exact: ClassVar[bool] = True
    _items: torch.Tensor | None = field(default=None, init=False, repr=False)

    def build(self, items: FloatArray) -> ExactOnDevice:
        """Bring the item vectors (I, D) to the device.

        Returns:
            The index itself.
        """
        self._items = self._there(items)
        return self

    def query(self, vectors: FloatArray, k: int, exclude: Ragged | None = None) -> tuple[Codes, FloatArray]:
        """The k best items for each vector; see ``Index.query``.

        Raises:
            InputError: If k is below 1 or the vectors have another dimension than the items.
            RecsysError: If nothing was built.
        """
        import torch

        items = self._items
        if items is None:
            raise RecsysError("the index on the device holds no items; call build(items) first")
        check(vectors, k, items.shape[1])
        distance: Distance = plugins.make("distances", self.distance)
        there = self._there(vectors)
        codes = torch.full((len(vectors), k), -1, dtype=torch.int32, device=there.device)
        scores = torch.full((len(vectors), k), float("-inf"), device=there.device)
        size = max(1, self.block_scores // max(1, len(items)))
        with torch.no_grad():
            for start in range(0, len(vectors), size):
                block = slice(start, min(start + size, len(vectors)))
                matrix = distance.matrix(there[block], items).float()  # (b, I)
                if exclude is not None:
                    self._mask(matrix, exclude, block)
                best, which = top(matrix, min(k, len(items)))
                scores[block, : best.shape[1]] = best
                codes[block, : best.shape[1]] = which.masked_fill(best == float("-inf"), -1).int()
        return codes.cpu().numpy(), scores.cpu().numpy()

    def _mask(self, matrix: torch.Tensor, exclude: Ragged, block: slice) -> None:
        bounds = exclude.indptr[block.start : block.stop + 1]
        starts = np.repeat(np.arange(len(matrix)) * matrix.shape[1], np.diff(bounds))
        places = self._there(starts + exclude.indices[bounds[0] : bounds[-1]])
        matrix.view(-1).index_fill_(0, places, float("-inf"))

    def _there(self, array: np.ndarray) -> torch.Tensor:
        import torch

        return torch.tensor(array, device=self.device)


def top(matrix: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k largest of each row (b, I), largest first and equal ones by code: scores and codes (b, k).

    A fast selection orders equal scores as it likes. A few more than k are fetched and put in order; a row
    whose k-th score is also the last one fetched may have more equal ones, and is sorted whole.

    Example:
        >>> import torch
        >>> top(torch.tensor([[1.0, 2.0, 2.0]]), 2)[1].tolist()
        [[1, 2]]
    """
    import torch

    width = min(k + SPARE, matrix.shape[1])
    values, codes = torch.topk(matrix, width, dim=1)
    codes, order = codes.sort(dim=1)
    values, order = values.gather(1, order).sort(dim=1, descending=True, stable=True)
    codes = codes.gather(1, order)
    if width < matrix.shape[1]:
        tied = (values[:, k - 1] == values[:, -1]) & (values[:, -1] > float("-inf"))
        rows = torch.nonzero(tied).squeeze(1)
        if len(rows):
            whole, where = matrix[rows].sort(dim=1, descending=True, stable=True)
            values[rows], codes[rows] = whole[:, :width], where[:, :width]
    return values[:, :k], codes[:, :k]

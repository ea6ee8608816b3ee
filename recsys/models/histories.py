"""What each user chose, as a matrix of ones and as ragged rows; for models from item to item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recsys.data.tables import Interactions
from recsys.models.item_scores import Ragged

if TYPE_CHECKING:
    from scipy import sparse


def chosen(train: Interactions) -> sparse.csr_array:
    """(U, I) float32, 1 where the user chose the item."""
    matrix = train.csr()
    matrix.data = np.ones_like(matrix.data)
    return matrix


def histories(train: Interactions) -> Ragged:
    """A row for each user code: the items that the user chose, rising."""
    matrix = train.csr()
    return Ragged(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))

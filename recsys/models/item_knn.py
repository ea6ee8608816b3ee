"""Items near those of the history, by the users who chose both."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt

from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.errors import RecsysError
from recsys.models.item_scores import ItemWeights
from recsys.models.model import Fitted, Grid, Report, Validate, silent
from recsys.models.weighting import TOO_LARGE, check_weighting, weighted
from recsys.ragged import Ragged

if TYPE_CHECKING:
    from scipy import sparse

ITEMS_AT_ONCE: Final = 1024


@dataclass(frozen=True)
class ItemKNN:
    """Scores an item by its similarity to the items of the history, each of which counts for its nearest n.

    With ``c_ij = sum over users of w_ui w_uj``, the number of users who chose both where what was chosen
    weighs 1, and ``d_i = c_ii``, the similarity of two different items
    is ``c_ij / (sqrt(d_i d_j) + shrinkage)`` (cosine) or ``c_ij / (d_i + d_j - c_ij + shrinkage)`` (Jaccard);
    of each item's similarities the largest ``neighbours`` are kept (equal ones by code), and
    ``score(u, i) = sum of similarity(h, i) over the history h of u``, in which an item counts once.

    The counts are made in blocks of items, and only the neighbours are kept, at most ``8 I neighbours``
    bytes; the time grows with the sum over users of the squared length of the history.

    Args:
        similarity: cosine or jaccard.
        neighbours: n, at least 1.
        shrinkage: How many common users it takes to be believed, at least 0.
        weighting: What w is: none (1), raw (the weights of the log), log1p or bm25; see
            ``recsys.models.weighting``.

    Raises:
        ValueError: If an option is outside its range.

    Source: Sarwar et al. 2001, Item-based collaborative filtering recommendation algorithms, section 3;
    Deshpande and Karypis 2004, Item-based top-N recommendation algorithms, section 4.1, without the optional
    scaling of rows. The shrinkage stands in the denominator as in Ferrari Dacrema et al. 2019, Are we really
    making much progress?, equation 1.

    Example:
        >>> import polars as pl
        >>> rows = {"user": [*"aabbc"], "item": [*"12123"], "time": [0] * 5, "weight": [1.0] * 5}
        >>> model = ItemKNN("jaccard", shrinkage=0).fit(Interactions.of(pl.DataFrame(rows))).scorer
        >>> model.scores(np.array([0])).tolist()
        [[1.0, 1.0, 0.0]]
    """

    similarity: Literal["cosine", "jaccard"] = "cosine"
    neighbours: int = 400
    shrinkage: float = 20.0
    weighting: str = "none"

    item_to_item: ClassVar[bool] = True

    # 18 fits and 30 with weightings, about 5 s each for 0.8 M interactions of 6,000 users.
    grid: ClassVar[Grid] = {
        "weighting": ("none", "raw", "log1p", "bm25"),
        "similarity": ("cosine", "jaccard"),
        "neighbours": (20, 100, 400),
        "shrinkage": (0.0, 20.0, 100.0),
    }
    # BM25 pays here where all weights are equal too (health: ndcg@10 on validation .073 against .066).
    weightings_of_equal: ClassVar[tuple[str, ...]] = ("none", "bm25")

    def __post_init__(self) -> None:
        if self.similarity not in ("cosine", "jaccard"):
            raise ValueError(f"similarity is {self.similarity!r}; it can be cosine or jaccard")
        if self.neighbours < 1:
            raise ValueError(f"neighbours is {self.neighbours}; it must be at least 1")
        if not 0 <= self.shrinkage < np.inf:
            raise ValueError(f"shrinkage is {self.shrinkage}; it must be at least 0")
        check_weighting(self.weighting)

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Compare the items; see ``Model.fit``. Nothing is chosen, reported or kept."""
        by_user = weighted(train, self.weighting)  # (U, I)
        weights = self.nearest(by_user)
        return Fitted(ItemWeights(weights, train.histories(), train.users, train.items))

    def nearest(self, by_user: sparse.csr_array, at_once: int = ITEMS_AT_ONCE) -> Ragged:
        """Similarities of each item to its neighbours, from weights (U, I); so many items at a time."""
        by_item = by_user.T.tocsr()
        squares = by_item.multiply(by_item).sum(axis=1, dtype=np.float64)
        degree = np.asarray(squares).ravel().astype(np.float32)  # (I,)
        if not np.isfinite(degree).all():
            raise RecsysError(TOO_LARGE)
        codes, values, counts = [], [], [0]
        for start in range(0, len(degree), at_once):
            common = by_item[start : start + at_once] @ by_user  # (b, I)
            common.sort_indices()
            rows = np.repeat(np.arange(common.shape[0]), np.diff(common.indptr)) + start
            near = self._similarities(common.data, degree[rows], degree[common.indices])
            near[rows == common.indices] = 0  # an item is not its own neighbour
            for begin, end in itertools.pairwise(common.indptr):
                best = _largest(near[begin:end], self.neighbours)
                codes.append(common.indices[begin:end][best].astype(np.int32))
                values.append(near[begin:end][best])
                counts.append(len(best))
        return Ragged(np.cumsum(counts, dtype=np.int64), np.concatenate(codes), np.concatenate(values))

    def _similarities(
        self,
        common: npt.NDArray[np.float32],
        one: npt.NDArray[np.float32],
        other: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """Pairs (n,) of items with common users: how many, and the degrees of the two -> (n,)."""
        whole = np.sqrt(one) * np.sqrt(other) if self.similarity == "cosine" else one + other - common
        return np.asarray(common / (whole + np.float32(self.shrinkage)), dtype=np.float32)


def _largest(near: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.int64]:
    """Positions, rising, of the n largest positive values; of equal ones the first, so that bytes repeat."""
    if n < len(near):
        least = np.partition(near, len(near) - n)[len(near) - n]
        equal = np.flatnonzero(near == least)[: n - int((near > least).sum())]
        kept = near > least
        kept[equal] = True
    else:
        kept = np.ones(len(near), dtype=np.bool_)
    return np.flatnonzero(kept & (near > 0))

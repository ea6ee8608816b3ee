"""Annoy's trees: queries fetch more than is needed, and the answer is filtered and scored exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import numpy as np

from recsys import plugins
from recsys.errors import InputError, RecsysError
from recsys.learning.distances.distance import Distance, IndexMetric
from recsys.learning.distances.norms import unit
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact, check
from recsys.seeds import derive
from recsys.storage.arrays import BoolArray, Codes, FloatArray, IntArray

# Candidates scored at once: 64 k vectors of 64 floats are 16 MB.
BLOCK: Final = 1 << 16
# Length of a query against the longest item under the inner product: at equal cost 1 recalls .78, 8 .95.
REACH: Final = 8.0


@dataclass
class Annoy:
    """A forest of random hyperplane trees, mapped from a file; the lists are nearly the true ones.

    The trees split by Euclidean distance whatever the score is, because they recall more that way than by
    Annoy's own angular and dot metrics at the same cost (``benchmarks/annoy.py``):

    * cosine: items and queries are scaled to length 1, where ``|a - b|^2 = 2 - 2 cos``.
    * dot: an item gets one more coordinate, ``sqrt(M^2 - |x|^2)`` with ``M`` the largest length, a query 0:
      ``|q - x|^2 = |q|^2 + M^2 - 2 q.x`` has the order of the inner product.
    * euclidean, squared_euclidean and manhattan are Annoy's own.

    A query fetches ``k`` items and as many more as are excluded, drops the excluded ones, and scores the rest
    with the distance itself. It compares with every item where a list would come out short, or where Annoy
    would look at as many anyway.

    Args:
        distance: Name of a part in ``recsys/learning/distances``.
        trees: Number of trees; more take more memory and time to build.
        search_k: Items to look at for each item fetched; more are slower and recall more.
        seed: Of the hyperplanes; the same seed and vectors give the same file.

    Source: Annoy (github.com/spotify/annoy); Bachrach et al. 2014, Speeding Up the Xbox Recommender System
    Using a Euclidean Transformation for Inner-Product Spaces, theorem 1, with a lengthened query.
    """

    distance: str = "cosine"
    trees: int = 10
    search_k: int = 20
    seed: int = 0
    exact: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]] = ("angular", "dot", "euclidean", "manhattan")
    package: ClassVar[str] = "annoy"
    file: ClassVar[str] = "items.annoy"
    # Each build costs as much as all before it, so that the last is over half of the work.
    builds: ClassVar[tuple[Mapping[str, int], ...]] = ({"trees": 10}, {"trees": 20}, {"trees": 40})
    search: ClassVar[tuple[str, int]] = ("search_k", 10)
    _items: FloatArray | None = field(default=None, init=False, repr=False)
    _forest: Any = field(default=None, init=False, repr=False)
    _radius: float = field(default=1.0, init=False, repr=False)
    _whole: Exact = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.trees < 1 or self.search_k < 1:
            raise ValueError(f"trees and search_k are at least 1, not {self.trees} and {self.search_k}")
        self._whole = Exact(self.distance)

    @property
    def metric(self) -> Literal["euclidean", "manhattan"]:
        """Annoy's metric of the trees: euclidean or manhattan."""
        return "manhattan" if self._index_metric == "manhattan" else "euclidean"

    def describe(self) -> dict[str, Any]:
        """The metric, and the length M of the longest item: the file holds neither."""
        return {"metric": self.metric, "radius": self._radius}

    def build(self, items: FloatArray) -> Annoy:
        """Grow the trees over item vectors (I, D), on one thread: only that gives the same file again.

        Raises:
            RecsysError: If annoy is not installed.
            InputError: If Annoy has no metric of the distance's order.
        """
        self._items, self._whole = items, Exact(self.distance).build(items)
        self._radius = _longest(items) if self._index_metric == "dot" else 1.0
        forest = self._empty(items.shape[1])
        forest.set_seed(derive(self.seed, "annoy") % 2**31)
        for start in range(0, len(items), BLOCK):
            placed = self._place(items[start : start + BLOCK]).tolist()
            for code, vector in enumerate(placed, start=start):
                forest.add_item(code, vector)
        forest.build(self.trees, n_jobs=1)
        self._forest = forest
        return self

    def with_search(self, value: int) -> Annoy:
        """The same trees, asked with another ``search_k``."""
        index = Annoy(self.distance, self.trees, value, self.seed)
        index._items, index._whole = self._items, self._whole
        index._forest, index._radius = self._forest, self._radius
        return index

    def save(self, path: Path) -> None:
        """Write the trees to a file.

        Raises:
            OSError: If it cannot be written.
        """
        self._forest.save(str(path))

    def load(self, path: Path, items: FloatArray, described: Mapping[str, Any]) -> Annoy:
        """Map the trees of a file; the caller has checked that it is of these items (``store.open_index``).

        Raises:
            RecsysError: If annoy is not installed, or the file does not hold the items.
        """
        forest = self._empty(items.shape[1])
        try:
            forest.load(str(path))
        except OSError as error:
            raise RecsysError(f"cannot map {path}: {error}; build it with `recsys index build`") from error
        if forest.get_n_items() != len(items):
            raise RecsysError(
                f"{path} is of {forest.get_n_items()} items, the run has {len(items)}; "
                "build it with `recsys index build`"
            )
        self._items, self._whole = items, Exact(self.distance).build(items)
        self._forest, self._radius = forest, described["radius"]
        self._check_sample(path)
        return self

    def query(self, vectors: FloatArray, k: int, exclude: Ragged | None = None) -> tuple[Codes, FloatArray]:
        """The k best items for each vector; see ``Index.query``."""
        if self._items is None:
            raise RecsysError("the Annoy index holds no items; call build(items) first")
        check(vectors, k, self._items.shape[1])
        count, total = len(vectors), len(self._items)
        codes = np.full((count, k), -1, dtype=np.int32)
        scores = np.full((count, k), -np.inf, dtype=np.float32)
        excluded = np.zeros(count, dtype=np.int64) if exclude is None else np.diff(exclude.indptr)
        fetch = k + excluded
        whole = self.search_k * fetch >= total  # Annoy would look at as many items as there are
        near = np.flatnonzero(~whole)
        bounds = np.cumsum(fetch[near]) // BLOCK
        for part in np.split(near, np.flatnonzero(np.diff(bounds)) + 1):
            if len(part):
                codes[part], scores[part] = self._nearest(vectors, part, fetch, k, exclude)
        found = (codes >= 0).sum(axis=1)
        short = np.flatnonzero(whole | (found < np.minimum(k, total - excluded)))
        if len(short):
            rest = None if exclude is None else exclude.take(short)
            codes[short], scores[short] = self._whole.query(vectors[short], k, rest)
        return codes, scores

    def _nearest(
        self, vectors: FloatArray, rows: IntArray, fetch: IntArray, k: int, exclude: Ragged | None
    ) -> tuple[Codes, FloatArray]:
        """Annoy's lists for ``rows`` without the excluded items, scored by the distance, best first."""
        placed = self._seek(vectors[rows]).tolist()
        lists = [
            self._forest.get_nns_by_vector(vector, wanted, self.search_k * wanted)
            for vector, wanted in zip(placed, fetch[rows].tolist(), strict=True)
        ]
        row = np.repeat(np.arange(len(rows)), [len(each) for each in lists])
        code = np.concatenate([np.asarray(each, dtype=np.int64) for each in lists])
        if exclude is not None:
            kept = ~self._among(row, code, exclude.take(rows))
            row, code = row[kept], code[kept]
        score = self._scores(vectors, rows[row], code)
        order = np.lexsort((code, -score, row))
        row, code, score = row[order], code[order], score[order]
        place = np.arange(len(row)) - np.searchsorted(row, np.arange(len(rows)))[row]
        listed = place < k
        codes = np.full((len(rows), k), -1, dtype=np.int32)
        scores = np.full((len(rows), k), -np.inf, dtype=np.float32)
        codes[row[listed], place[listed]] = code[listed]
        scores[row[listed], place[listed]] = score[listed]
        return codes, scores

    def _among(self, row: IntArray, code: IntArray, exclude: Ragged) -> BoolArray:
        """Whether (row, code) is excluded; the excluded pairs are sorted, so one bisection each."""
        assert self._items is not None
        total = len(self._items)
        pairs = np.repeat(np.arange(len(exclude)), np.diff(exclude.indptr)) * total + exclude.indices
        if len(pairs) == 0:
            return np.zeros(len(row), dtype=np.bool_)
        wanted = row * total + code
        at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        found: BoolArray = pairs[at] == wanted
        return found

    def _scores(self, vectors: FloatArray, rows: IntArray, codes: IntArray) -> FloatArray:
        assert self._items is not None
        distance: Distance = plugins.make("distances", self.distance)
        scores = np.empty(len(codes), dtype=np.float32)
        for start in range(0, len(codes), BLOCK):
            part = slice(start, start + BLOCK)
            scores[part] = distance.similarity(vectors[rows[part]], self._items[codes[part]])
        return scores

    @property
    def _index_metric(self) -> IndexMetric:
        distance: Distance = plugins.make("distances", self.distance)
        if distance.index_metric is None:
            raise InputError(f"Annoy has no metric of the order of {self.distance}; take --index exact")
        return distance.index_metric

    def _empty(self, dim: int) -> Any:
        try:
            import annoy
        except ImportError as error:
            raise RecsysError(
                "the package annoy is not installed (it needs a C++ compiler); take --index exact, "
                "or see `recsys doctor`"
            ) from error
        return annoy.AnnoyIndex(dim + 1 if self._index_metric == "dot" else dim, self.metric)

    def _place(self, items: FloatArray) -> FloatArray:
        """Items as the trees hold them: (n, D) or (n, D + 1)."""
        match self._index_metric:
            case "angular":
                return np.asarray(unit(items), dtype=np.float32)
            case "dot":
                squared = (items.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
                last = np.sqrt(np.maximum(self._radius**2 - squared, 0.0))
                return np.concatenate([items, last], axis=1).astype(np.float32)
            case _:
                return items

    def _seek(self, vectors: FloatArray) -> FloatArray:
        """Queries as the trees take them; the order of a cosine or an inner product ignores their length."""
        match self._index_metric:
            case "angular":
                return np.asarray(unit(vectors), dtype=np.float32)
            case "dot":
                far = np.asarray(unit(vectors), dtype=np.float32) * np.float32(REACH * self._radius)
                return np.concatenate([far, np.zeros((len(vectors), 1), dtype=np.float32)], axis=1)
            case _:
                return vectors

    def _check_sample(self, path: Path) -> None:
        """Compare a few vectors of the file with the run's: a forest of other vectors is refused."""
        assert self._items is not None
        for code in np.linspace(
            0, len(self._items) - 1, num=min(8, len(self._items)), dtype=np.int64
        ).tolist():
            stored = np.array(self._forest.get_item_vector(code), dtype=np.float32)
            placed = self._place(self._items[code][None, :])[0]
            if not np.allclose(stored, placed, rtol=1e-4, atol=1e-5 * self._radius):
                raise RecsysError(
                    f"{path} was built from other vectors than the run's (item code {code} differs); "
                    "build it with `recsys index build`"
                )


def _longest(items: FloatArray) -> float:
    squared = max(
        (float((items[start : start + BLOCK].astype(np.float64) ** 2).sum(axis=1).max())
         for start in range(0, len(items), BLOCK)),
        default=0.0,
    )  # fmt: skip
    return squared**0.5 or 1.0

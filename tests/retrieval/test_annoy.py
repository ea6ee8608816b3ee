import sys
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import InputError, RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.index.annoy import Annoy
from recsys.retrieval.index.exact import Exact

pytest.importorskip("annoy", reason="annoy is not installed: it needs a C++ compiler")

RNG = np.random.default_rng(5)
CENTRES = RNG.normal(size=(40, 16))
ITEMS = (CENTRES[RNG.integers(40, size=4000)] + 0.4 * RNG.normal(size=(4000, 16))).astype(np.float32)
LONG_TAIL = ITEMS * RNG.lognormal(sigma=1.0, size=(4000, 1)).astype(np.float32)
USERS = (CENTRES[RNG.integers(40, size=100)] + 0.4 * RNG.normal(size=(100, 16))).astype(np.float32)


def recall(index: Annoy, items: np.ndarray, exclude: Ragged | None = None) -> float:
    codes, _ = index.query(USERS, 20, exclude)
    true, _ = Exact(index.distance).build(items).query(USERS, 20, exclude)
    return float(np.mean([len(np.intersect1d(a, b)) / 20 for a, b in zip(codes, true, strict=True)]))


@pytest.mark.parametrize("distance", ["dot", "cosine", "euclidean", "squared_euclidean"])
def test_more_search_recalls_more_up_to_everything(distance: str) -> None:
    forest = Annoy(distance, trees=5).build(LONG_TAIL)
    low, high = recall(forest.with_search(1), LONG_TAIL), recall(forest.with_search(40), LONG_TAIL)
    assert 0.05 < low < high
    assert high > 0.9
    assert recall(forest.with_search(4000), LONG_TAIL) == 1.0


def test_an_inner_product_recalls_far_more_than_annoys_own_dot() -> None:
    import annoy

    own = annoy.AnnoyIndex(16, "dot")
    own.set_seed(0)
    for code, vector in enumerate(LONG_TAIL.tolist()):
        own.add_item(code, vector)
    own.build(10, n_jobs=1)
    true, _ = Exact("dot").build(LONG_TAIL).query(USERS, 20)
    lists = [own.get_nns_by_vector(vector, 20, 10 * 20) for vector in USERS.tolist()]
    theirs = np.mean([len(np.intersect1d(a, b)) / 20 for a, b in zip(lists, true, strict=True)])
    ours = recall(Annoy("dot", trees=10, search_k=10).build(LONG_TAIL), LONG_TAIL)
    assert ours > theirs + 0.2


def test_excluded_items_do_not_cost_recall() -> None:
    index = Annoy("cosine", trees=10, search_k=20).build(ITEMS)
    nearest, _ = Exact("cosine").build(ITEMS).query(USERS, 60)
    exclude = Ragged(np.arange(101, dtype=np.int64) * 60, np.sort(nearest, axis=1).ravel())
    assert recall(index, ITEMS, exclude) > 0.9
    codes, _ = index.query(USERS, 20, exclude)
    assert not any(np.intersect1d(a, b).size for a, b in zip(codes, nearest, strict=True))


def test_rows_of_very_different_lengths_are_answered_together() -> None:
    index = Annoy("cosine", trees=10, search_k=3).build(ITEMS)
    lengths = RNG.integers(0, 3990, size=100)
    rows = [np.sort(RNG.choice(4000, size=length, replace=False)) for length in lengths]
    exclude = Ragged(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.concatenate(rows).astype(np.int32)
    )
    codes, scores = index.query(USERS, 20, exclude)
    for user, row in enumerate(rows):
        left = min(20, 4000 - len(row))
        assert (codes[user] >= 0).sum() == left
        assert not set(codes[user].tolist()) & set(row.tolist())
        assert (np.diff(scores[user, :left]) <= 0).all()


def test_the_same_seed_gives_the_same_file_and_another_one_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        Annoy("dot", trees=3, seed=seed).build(ITEMS[:500]).save(tmp_path / name)
    data = [(tmp_path / name).read_bytes() for name in "abc"]
    assert data[0] == data[1]
    assert data[0] != data[2]


@pytest.mark.parametrize("distance", ["dot", "cosine", "euclidean"])
def test_a_saved_forest_answers_as_before(tmp_path: Path, distance: str) -> None:
    built = Annoy(distance, trees=5, search_k=7).build(LONG_TAIL)
    built.save(tmp_path / "trees")
    loaded = Annoy(distance, trees=5, search_k=7).load(tmp_path / "trees", LONG_TAIL, built.describe())
    for mine, other in zip(built.query(USERS, 10), loaded.query(USERS, 10), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_forest_of_other_items_is_told(tmp_path: Path) -> None:
    built = Annoy("cosine", trees=2).build(ITEMS[:500])
    built.save(tmp_path / "trees")
    with pytest.raises(
        RecsysError, match="is of 500 items, the run has 600; build it with `recsys index build`"
    ):
        Annoy("cosine", trees=2).load(tmp_path / "trees", ITEMS[:600], {"radius": 1.0})
    with pytest.raises(RecsysError, match="was built from other vectors than the run's"):
        Annoy("cosine", trees=2).load(tmp_path / "trees", ITEMS[500:1000], {"radius": 1.0})
    with pytest.raises(RecsysError, match="cannot map"):
        Annoy("cosine", trees=2).load(tmp_path / "missing", ITEMS[:500], {"radius": 1.0})


def test_points_that_are_all_equal_or_zero_are_served() -> None:
    for items in (np.zeros((300, 4), dtype=np.float32), np.ones((300, 4), dtype=np.float32)):
        for distance in ("dot", "cosine", "euclidean"):
            codes, scores = Annoy(distance, trees=2, search_k=1).build(items).query(USERS[:3, :4], 5)
            assert (codes >= 0).all()
            assert np.isfinite(scores).all()


def test_without_annoy_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "annoy", None)
    with pytest.raises(
        RecsysError, match=r"annoy is not installed .* take --index exact, or see `recsys doctor`"
    ):
        Annoy("cosine").build(ITEMS)


def test_options_out_of_range_are_refused() -> None:
    from recsys import plugins

    with pytest.raises(InputError, match="index annoy: trees and search_k are at least 1, not 0 and 20"):
        plugins.make("indexes", "annoy", {"trees": 0})

"""Every index keeps these, whatever it is made of."""

import numpy as np
import pytest

from recsys import plugins
from recsys.errors import InputError, RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.index.index import Index
from recsys.storage.arrays import FloatArray

DISTANCES = ("dot", "cosine", "euclidean", "squared_euclidean")
INDEXES = plugins.names("indexes")
RNG = np.random.default_rng(3)
ITEMS = RNG.normal(size=(400, 6)).astype(np.float32)
USERS = RNG.normal(size=(9, 6)).astype(np.float32)
SEEN = Ragged(
    np.arange(10, dtype=np.int64) * 40,
    np.concatenate([np.sort(RNG.choice(400, size=40, replace=False)) for _ in range(9)]).astype(np.int32),
)


def build(name: str, distance: str, items: FloatArray = ITEMS) -> Index:
    index: Index = plugins.make("indexes", name, {"distance": distance}).build(items)
    return index


def scores_of(distance: str, items: FloatArray = ITEMS) -> FloatArray:
    matrix: FloatArray = plugins.make("distances", distance).matrix(USERS, items)
    return matrix


def test_the_indexes_are_found() -> None:
    assert set(INDEXES) == {"annoy", "exact"}


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_lists_are_full_sorted_unseen_and_truly_scored(name: str, distance: str) -> None:
    codes, scores = build(name, distance).query(USERS, 20, SEEN)
    true = scores_of(distance)
    assert codes.shape == scores.shape == (9, 20)
    assert (codes.dtype, scores.dtype) == (np.int32, np.float32)
    for user in range(9):
        assert len(set(codes[user].tolist())) == 20
        assert not set(codes[user].tolist()) & set(SEEN.row(user).tolist())
        np.testing.assert_allclose(scores[user], true[user, codes[user]], atol=1e-5)
        assert (np.diff(scores[user]) <= 0).all()


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_nearly_all_of_the_true_list_is_found(name: str, distance: str) -> None:
    index = build(name, distance)
    codes, _ = index.query(USERS, 10, SEEN)
    true = scores_of(distance)
    for user in range(9):
        true[user, SEEN.row(user)] = -np.inf
    wanted = np.argsort(-true, axis=1, kind="stable")[:, :10]
    found = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(codes.tolist(), wanted.tolist(), strict=True)])
    assert found == 1.0 if index.exact else found > 0.8


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_short_lists_stay_short(name: str, distance: str) -> None:
    index = build(name, distance)
    codes, scores = index.query(USERS[:1], 500, SEEN.take(np.array([0])))
    assert sorted(codes[0, :360].tolist()) == sorted(set(range(400)) - set(SEEN.row(0).tolist()))
    assert (codes[0, 360:] == -1).all()
    assert np.isneginf(scores[0, 360:]).all()
    everything = Ragged(np.array([0, 400]), np.arange(400, dtype=np.int32))
    codes, scores = index.query(USERS[:1], 3, everything)
    assert codes.tolist() == [[-1, -1, -1]]
    assert np.isneginf(scores).all()


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_no_vector_and_no_exclusion(name: str, distance: str) -> None:
    index = build(name, distance)
    codes, scores = index.query(USERS[:0], 3)
    assert codes.shape == scores.shape == (0, 3)
    nothing = Ragged(np.zeros(10, dtype=np.int64), np.zeros(0, dtype=np.int32))
    np.testing.assert_array_equal(index.query(USERS, 5)[0], index.query(USERS, 5, nothing)[0])


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_equal_scores_stand_by_code(name: str, distance: str) -> None:
    items = np.repeat(ITEMS[:4], 3, axis=0)
    codes, _ = build(name, distance, items).query(USERS[:1], 12)
    assert [sorted(codes[0, at : at + 3].tolist()) for at in range(0, 12, 3)] == [
        codes[0, at : at + 3].tolist() for at in range(0, 12, 3)
    ]


@pytest.mark.parametrize("name", INDEXES)
def test_wrong_queries_are_refused(name: str) -> None:
    index = build(name, "dot")
    with pytest.raises(InputError, match="k is 0"):
        index.query(USERS, 0)
    with pytest.raises(InputError, match="the index needs"):
        index.query(USERS[:, :3], 1)
    with pytest.raises(RecsysError, match="holds no items"):
        plugins.make("indexes", name, {"distance": "dot"}).query(USERS, 1)

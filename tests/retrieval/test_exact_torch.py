import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError, RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.exact_torch import ExactOnDevice

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    import torch

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return str(request.param)


def scene(seed: int, users: int, items: int, values: int = 0) -> tuple[np.ndarray, np.ndarray, Ragged]:
    """Vectors, of so few different ``values`` that scores are equal where it is given, and what was seen."""
    rng = np.random.default_rng(seed)
    draw = (lambda n: rng.integers(0, values, (n, 4))) if values else (lambda n: rng.standard_normal((n, 4)))
    mask = rng.random((users, items)) < 0.3
    seen = Ragged(np.append(0, mask.sum(1).cumsum()), np.nonzero(mask)[1].astype(np.int32))
    return draw(users).astype(np.float32), draw(items).astype(np.float32), seen


@pytest.mark.parametrize("distance", ["dot", "cosine", "euclidean"])
def test_the_lists_are_those_of_the_exact_index(device: str, distance: str) -> None:
    users, items, seen = scene(0, 23, 60)
    # Several blocks, the last one shorter.
    ours = ExactOnDevice(distance, device, block_scores=400).build(items).query(users, 7, seen)
    theirs = Exact(distance).build(items).query(users, 7, seen)
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-5)
    assert ours[0].dtype == np.int32
    assert ours[1].dtype == np.float32


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 45))
def test_equal_scores_come_by_code(seed: int, items: int, k: int) -> None:
    users, vectors, seen = scene(seed, 5, items, values=2)
    ours = ExactOnDevice("dot", "cpu").build(vectors).query(users, k, seen)
    scores = users @ vectors.T
    for row in range(5):
        allowed = np.setdiff1d(np.arange(items), seen.row(row))
        wanted = allowed[np.lexsort((allowed, -scores[row, allowed]))][:k]
        assert ours[0][row].tolist() == wanted.tolist() + [-1] * (k - len(wanted))
        assert (ours[1][row, len(wanted) :] == -np.inf).all()


def test_refuses_what_cannot_be_answered() -> None:
    with pytest.raises(RecsysError, match="holds no items"):
        ExactOnDevice("dot", "cpu").query(np.ones((1, 2), np.float32), 1)
    index = ExactOnDevice("dot", "cpu").build(np.ones((3, 2), np.float32))
    with pytest.raises(InputError, match="k is 0"):
        index.query(np.ones((1, 2), np.float32), 0)
    with pytest.raises(InputError, match="shape"):
        index.query(np.ones((1, 3), np.float32), 1)

"""The exact index against argsort."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import plugins
from recsys.errors import InputError, RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact, few
from recsys.storage.arrays import Codes, FloatArray

DISTANCES = ("dot", "cosine", "euclidean", "squared_euclidean")


def sorted_by_hand(matrix: FloatArray, k: int, exclude: list[set[int]]) -> list[list[int]]:
    """Sort all allowed items of each row by score, then code."""
    return [
        sorted((code for code in range(len(row)) if code not in hidden), key=lambda code: (-row[code], code))[
            :k
        ]
        for row, hidden in zip(matrix.tolist(), exclude, strict=True)
    ]


def rows(sets: list[set[int]]) -> Ragged:
    indptr = np.cumsum([0, *map(len, sets)]).astype(np.int64)
    return Ragged(indptr, np.array([code for each in sets for code in sorted(each)], dtype=np.int32))


def listed(codes: Codes) -> list[list[int]]:
    return [[code for code in row if code >= 0] for row in codes.tolist()]


@given(
    seed=st.integers(0, 10_000),
    users=st.integers(0, 7),
    items=st.integers(1, 40),
    dim=st.integers(1, 4),
    k=st.integers(1, 50),
    distance=st.sampled_from(DISTANCES),
)
def test_lists_are_those_of_a_full_sort(
    seed: int, users: int, items: int, dim: int, k: int, distance: str
) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers make many equal scores, and exact ones.
    vectors = rng.integers(-2, 3, (users, dim)).astype(np.float32)
    catalogue = rng.integers(-2, 3, (items, dim)).astype(np.float32)
    hidden = [
        set(rng.choice(items, rng.integers(0, items + 1), replace=False).tolist()) for _ in range(users)
    ]
    codes, scores = Exact(distance).build(catalogue).query(vectors, k, rows(hidden))
    matrix = np.asarray(plugins.make("distances", distance).matrix(vectors, catalogue))
    assert codes.shape == scores.shape == (users, k)
    assert listed(codes) == sorted_by_hand(matrix, k, hidden)
    for row, (line, values) in enumerate(zip(codes, scores, strict=True)):
        known = line >= 0
        np.testing.assert_allclose(values[known], matrix[row, line[known]], rtol=1e-5, atol=1e-6)
        assert (values[~known] == -np.inf).all()


def test_blocks_do_not_change_the_lists() -> None:
    rng = np.random.default_rng(0)
    vectors, items = (rng.standard_normal((n, 8)).astype(np.float32) for n in (50, 30))
    hidden = rows([{row % 30, (row * 7) % 30} for row in range(50)])
    whole, blocked = (
        few(plugins.make("distances", "dot"), items, vectors, 5, hidden, size)[0] for size in (10**6, 100)
    )
    assert (whole == blocked).all()


def test_a_query_that_cannot_be_answered_is_refused() -> None:
    index = Exact().build(np.ones((3, 2), dtype=np.float32))
    with pytest.raises(InputError, match="k is 0"):
        index.query(np.ones((1, 2), dtype=np.float32), 0)
    with pytest.raises(InputError, match=r"\(n, 2\)"):
        index.query(np.ones((1, 3), dtype=np.float32), 1)
    with pytest.raises(RecsysError, match="build"):
        Exact().query(np.ones((1, 2), dtype=np.float32), 1)


def test_a_small_query_imports_neither_torch_nor_polars() -> None:
    code = (
        "import sys, numpy as np; from recsys.retrieval.index.exact import Exact;"
        "Exact().build(np.ones((3, 2), 'f')).query(np.ones((1, 2), 'f'), 2);"
        "print([name for name in ('torch', 'polars', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

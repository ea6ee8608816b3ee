from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recsys.embeddings import FoldIn, Stored
from recsys.errors import InputError, RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.fold_in import fold_in, fold_in_all, gram_of
from recsys.storage.string_column import TextColumn

RNG = np.random.default_rng(2)
ITEMS = RNG.normal(size=(20, 4)).astype(np.float32)
INPUTS = RNG.normal(size=(20, 4)).astype(np.float32)
HISTORY = np.array([3, 11, 5], dtype=np.int32)


def model(form: FoldIn, distance: str = "dot", inputs: np.ndarray | None = None) -> Stored:
    ids = TextColumn.of(str(item) for item in range(20))
    return Stored(ITEMS[:2], ITEMS, TextColumn.of("ab"), ids, distance, inputs, form)


def test_mean_of_the_items() -> None:
    wanted = (ITEMS[3] + ITEMS[11] + ITEMS[5]) / 3
    np.testing.assert_allclose(fold_in(model(FoldIn()), HISTORY), wanted, rtol=1e-5)


def test_mean_of_unit_vectors_for_a_cosine() -> None:
    wanted = sum(ITEMS[item] / np.linalg.norm(ITEMS[item]) for item in (3, 11, 5)) / 3
    np.testing.assert_allclose(fold_in(model(FoldIn(), "cosine"), HISTORY), wanted, rtol=1e-5)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_sum_of_inputs_over_a_power_of_the_length(power: float) -> None:
    form = FoldIn("sum", {"power": power})
    wanted = (INPUTS[3] + INPUTS[11] + INPUTS[5]) / 3**power
    np.testing.assert_allclose(fold_in(model(form, inputs=INPUTS), HISTORY), wanted, rtol=1e-5)


def test_an_item_that_stands_twice_counts_once() -> None:
    form = FoldIn("sum", {"power": 1.0})
    twice = np.array([3, 11, 5, 3, 5], dtype=np.int32)
    np.testing.assert_array_equal(
        fold_in(model(form, inputs=INPUTS), twice), fold_in(model(form, inputs=INPUTS), HISTORY)
    )


@pytest.mark.parametrize(("alpha", "regularization"), [(1.0, 0.1), (20.0, 3.0)])
def test_least_squares_is_what_implicit_recalculates(alpha: float, regularization: float) -> None:
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    log = sparse.random(50, 20, density=0.3, random_state=0, format="csr", dtype=np.float32)
    log.data[:] = 1.0
    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(
            factors=4, alpha=alpha, regularization=regularization, iterations=2, random_state=0, num_threads=1
        )
        peer.fit(log, show_progress=False)
        rows = log[:1]
        wanted = peer.recalculate_user(0, rows)
    form = FoldIn("least_squares", {"alpha": alpha, "regularization": regularization})
    stored = Stored(
        ITEMS[:2], np.asarray(peer.item_factors), TextColumn.of("ab"),
        TextColumn.of(str(item) for item in range(20)), "dot", None, form,
    )  # fmt: skip
    got = fold_in(stored, rows.indices.astype(np.int32))
    np.testing.assert_allclose(got, np.ravel(wanted), rtol=2e-3, atol=1e-5)
    kept = fold_in(stored, rows.indices.astype(np.int32), lambda: gram_of(stored.items))
    np.testing.assert_array_equal(got, kept)


def test_the_gram_matrix_is_summed_over_blocks() -> None:
    np.testing.assert_allclose(gram_of(ITEMS, block=3), ITEMS.T.astype(np.float64) @ ITEMS, rtol=1e-5)


FORMS = [
    (FoldIn(), "dot"), (FoldIn(), "cosine"),
    (FoldIn("sum", {"power": 0.5}), "dot"),
    (FoldIn("sum", {"power": 1.0, "position": 2.0, "longest": 3.0}), "dot"),
    (FoldIn("least_squares", {"alpha": 20.0, "regularization": 3.0}), "dot"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "distance"), FORMS, ids=str)
@settings(deadline=None)
@given(histories=st.lists(st.lists(st.integers(0, 19), max_size=8, unique=True), max_size=7))
def test_many_histories_are_each_folded_in_by_itself(
    form: FoldIn, distance: str, histories: list[list[int]]
) -> None:
    into = model(form, distance, INPUTS)
    indptr = np.cumsum([0, *map(len, histories)])
    rows = Ragged(indptr, np.array([code for row in histories for code in row], dtype=np.int32))
    got = fold_in_all(into, rows)
    assert got.shape == (len(histories), 4)
    assert got.dtype == np.float32
    for vector, history in zip(got, histories, strict=True):
        one = fold_in(into, np.array(history, dtype=np.int32)) if history else np.zeros(4)
        np.testing.assert_array_equal(vector, one)


def test_decayed_sums_by_their_definition() -> None:
    form = FoldIn("sum", {"power": 0.5, "position": 2.0, "longest": 2.0})
    newest, before = INPUTS[5].astype(float), INPUTS[11].astype(float)
    wanted = (newest + 0.5**0.5 * before) / (1 + 0.5**0.5) ** 0.5
    np.testing.assert_allclose(fold_in(model(form, inputs=INPUTS), HISTORY), wanted, rtol=1e-5)


def test_many_users_are_what_implicit_recalculates() -> None:
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    log = sparse.random(80, 20, density=0.3, random_state=1, format="csr", dtype=np.float32)
    log.data[:] = 1.0
    unseen = log[50:]
    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(
            factors=4, alpha=20.0, regularization=3.0, iterations=3, random_state=0, num_threads=1
        )
        peer.fit(log[:50], show_progress=False)
        wanted = peer.recalculate_user(np.arange(30), unseen)
    form = FoldIn("least_squares", {"alpha": 20.0, "regularization": 3.0})
    into = replace(model(form), items=np.asarray(peer.item_factors))
    got = fold_in_all(into, Ragged(unseen.indptr.astype(np.int64), unseen.indices))
    np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-5)


def test_what_cannot_be_folded_in_is_told() -> None:
    with pytest.raises(InputError, match="the history holds no item of this run"):
        fold_in(model(FoldIn()), np.array([], dtype=np.int32))
    with pytest.raises(RecsysError, match="folds users in by 'magic'; this version knows mean, sum"):
        fold_in(model(FoldIn("magic")), HISTORY)
    with pytest.raises(RecsysError, match="fold-in 'sum' lacks its option 'power'; train again"):
        fold_in(model(FoldIn("sum")), HISTORY)

"""Nomination in low precision: what it calls certain is true, and the rest is found all the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import plugins
from recsys.ragged import Ragged
from recsys.retrieval.index import exact, mixed_precision
from recsys.retrieval.index.exact import Exact, few
from recsys.retrieval.index.mixed_precision import Kind, PreparedItems, can_nominate, kinds

DISTANCES = ("dot", "cosine", "euclidean", "squared_euclidean")
KINDS: tuple[Kind, ...] = ("bfloat16", "float32")


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sizes take every path: groups of groups, several blocks, a last block that is not full."""
    monkeypatch.setattr(mixed_precision, "GROUP", 4)
    monkeypatch.setattr(mixed_precision, "FEW", 16)
    monkeypatch.setattr(mixed_precision, "BLOCK_VECTORS", (8, 8))
    monkeypatch.setattr(mixed_precision, "SPARE", {"dot": 4, "angular": 6, "euclidean": 6})


def hidden(rng: np.random.Generator, users: int, items: int, share: float) -> Ragged:
    rows = [np.flatnonzero(rng.random(items) < share).astype(np.int32) for _ in range(users)]
    return Ragged(np.cumsum([0, *map(len, rows)]).astype(np.int64), np.concatenate(rows))


some = settings(max_examples=40, deadline=None)
cases = given(
    seed=st.integers(0, 2**20),
    users=st.integers(1, 30),
    items=st.integers(60, 400),
    dim=st.integers(1, 9),
    k=st.integers(1, 8),
    share=st.sampled_from([0.0, 0.1, 0.97, 1.0]),
    name=st.sampled_from(DISTANCES),
)


@some
@cases
@pytest.mark.parametrize("kind", KINDS)
def test_lists_that_are_certain_are_the_true_ones(
    kind: Kind, seed: int, users: int, items: int, dim: int, k: int, share: float, name: str
) -> None:
    rng = np.random.default_rng(seed)
    vectors, catalogue = (rng.standard_normal((n, dim)).astype(np.float32) for n in (users, items))
    vectors -= rng.choice([0.0, 2.0])  # sometimes all scores are below zero
    distance, exclude = plugins.make("distances", name), hidden(rng, users, items, share)
    assert can_nominate(distance, items, k)
    codes, scores, certain = mixed_precision.nominate(
        PreparedItems.of(distance, catalogue, kind), vectors, k, exclude
    )
    true, values = few(distance, catalogue.astype(np.float64), vectors.astype(np.float64), k, exclude)  # type: ignore[arg-type]
    np.testing.assert_allclose(scores[certain], values[certain], rtol=1e-5, atol=2e-6)
    heights = np.maximum(values, -1e6) - np.where(true < 0, np.arange(k), 0)
    apart = (np.diff(heights, axis=1) < -1e-5).all(axis=1)  # float32 orders them
    assert (codes[certain & apart] == true[certain & apart]).all()
    assert certain.all() or share < 1  # what is empty is complete


@some
@cases
def test_equal_scores_are_listed_by_code(
    seed: int, users: int, items: int, dim: int, k: int, share: float, name: str
) -> None:
    rng = np.random.default_rng(seed)
    vectors, catalogue = (rng.integers(-2, 3, (n, dim)).astype(np.float32) for n in (users, items))
    exclude = hidden(rng, users, items, share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "MANY_SCORES", 0)
        patch.setattr(exact, "MANY_VECTORS", 1)
        codes, scores = Exact(name).build(catalogue).query(vectors, k, exclude)
    true, values = few(plugins.make("distances", name), catalogue, vectors, k, exclude)
    np.testing.assert_allclose(scores, values, rtol=1e-5, atol=2e-6)
    if name != "cosine":  # lengths divide: equal angles of other lengths differ in the last bit
        assert (codes == true).all()


def test_most_lists_of_a_real_size_are_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    rng = np.random.default_rng(0)
    vectors, items = (rng.standard_normal((n, 32)).astype(np.float32) for n in (100, 5000))
    catalogue = PreparedItems.of(plugins.make("distances", "dot"), items, "bfloat16")
    codes, _, certain = mixed_precision.nominate(catalogue, vectors, 20)
    assert certain.mean() > 0.9
    assert (codes == np.argsort(-(vectors @ items.T), axis=1, kind="stable")[:, :20])[certain].all()


def test_an_order_that_is_no_product_is_left_to_numpy() -> None:
    class Other:
        index_metric = "manhattan"
        bounded = False

    assert not can_nominate(Other(), 10_000, 10)  # type: ignore[arg-type]
    assert not can_nominate(plugins.make("distances", "dot"), 30, 10)


def test_the_number_of_threads_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    items = np.random.default_rng(0).standard_normal((200, 4)).astype(np.float32)
    mixed_precision.nominate(PreparedItems.of(plugins.make("distances", "dot"), items, kinds(0)[0]), items, 3)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("name", DISTANCES)
def test_float64_vectors_are_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(exact, "MANY_SCORES", 0)
    rng = np.random.default_rng(0)
    vectors, items = rng.standard_normal((20, 8)), rng.standard_normal((500, 8))
    codes, _ = Exact(name).build(items).query(vectors, 5)  # type: ignore[arg-type]
    true, _ = few(plugins.make("distances", name), items, vectors, 5, None)  # type: ignore[arg-type]
    assert (codes == true).all()


def test_read_only_vectors_are_taken() -> None:
    items = np.random.default_rng(0).standard_normal((200, 4)).astype(np.float32)
    items.flags.writeable = False
    catalogue = PreparedItems.of(plugins.make("distances", "dot"), items, "float32")
    assert mixed_precision.nominate(catalogue, items, 3)[2].any()


@pytest.mark.parametrize(("fast", "given"), [(True, ("bfloat16", "float32")), (False, ("float32",))])
def test_bfloat16_is_tried_first_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, fast: bool, given: tuple[Kind, ...]
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    assert kinds(0) == given


def test_scores_are_counted_over_all_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(scores: int) -> tuple[Kind, ...]:
        asked.append(scores)
        return ("float32",)

    monkeypatch.setattr(exact, "MANY_SCORES", 0)
    monkeypatch.setattr(mixed_precision, "kinds", counted)
    points = np.random.default_rng(0).standard_normal((200, 4)).astype(np.float32)
    index = Exact("dot").build(points)
    index.query(points[:10], 3), index.query(points[:20], 3)
    index.build(points).query(points[:10], 3)
    assert asked == [2_000, 6_000, 2_000]

"""Nomination in low precision: what it calls certain is true, and the rest is found all the same."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import plugins
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact, few
from recsys.retrieval.index.mixed_precision import (
    Nomination,
    Precision,
    PreparedItems,
    Sizes,
    can_nominate,
    nominate,
    precisions,
)

DISTANCES = ("dot", "cosine", "euclidean", "squared_euclidean")
# They take every path with few items: groups of groups, several blocks, a last block that is not full.
SMALL = Sizes(group=4, few=16, spare={"bfloat16": 6, "float32": 4}, block=(8, 8))


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
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_lists_that_are_certain_are_the_true_ones(
    precision: Precision, seed: int, users: int, items: int, dim: int, k: int, share: float, name: str
) -> None:
    rng = np.random.default_rng(seed)
    vectors, catalogue = (rng.standard_normal((n, dim)).astype(np.float32) for n in (users, items))
    vectors -= rng.choice([0.0, 2.0])  # sometimes all scores are below zero
    distance, exclude = plugins.make("distances", name), hidden(rng, users, items, share)
    assert can_nominate(distance, items, k, SMALL)
    prepared = PreparedItems.of(distance, catalogue, precision, SMALL)
    codes, scores, certain = nominate(prepared, vectors, k, exclude)
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
    distance, exclude = plugins.make("distances", name), hidden(rng, users, items, share)
    codes, scores, certain = Nomination(distance, catalogue, SMALL).query(vectors, k, exclude)
    true, values = few(distance, catalogue, vectors, k, exclude)
    np.testing.assert_allclose(scores[certain], values[certain], rtol=1e-5, atol=2e-6)
    if name != "cosine":  # lengths divide: equal angles of other lengths differ in the last bit
        assert (codes[certain] == true[certain]).all()


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("repeated", [1, 40])
def test_many_vectors_get_the_lists_of_few(name: str, repeated: int) -> None:
    """At the sizes that are served, where lists end in ties (every item 40 times) and where they do not."""
    rng = np.random.default_rng(0)
    items = rng.integers(-9, 10, (8_800, 6)).astype(np.float32)
    items = np.repeat(items[: 8_800 // repeated], repeated, axis=0)
    vectors = rng.integers(-9, 10, (500, 6)).astype(np.float32)
    distance = plugins.make("distances", name)
    codes, scores = Exact(name).build(items).query(vectors, 20)
    true, values = few(distance, items, vectors, 20, None)
    np.testing.assert_allclose(scores, values, rtol=1e-5, atol=2e-6)
    if name != "cosine":
        assert (codes == true).all()


def test_most_lists_of_a_real_size_are_certain() -> None:
    rng = np.random.default_rng(0)
    vectors, items = (rng.standard_normal((n, 32)).astype(np.float32) for n in (100, 5000))
    prepared = PreparedItems.of(plugins.make("distances", "dot"), items, "bfloat16")
    codes, _, certain = nominate(prepared, vectors, 20)
    assert certain.mean() > 0.9
    assert (codes == np.argsort(-(vectors @ items.T), axis=1, kind="stable")[:, :20])[certain].all()


def test_an_order_that_is_not_of_a_product_is_left_to_numpy() -> None:
    assert not can_nominate(plugins.make("distances", "manhattan"), 10_000, 10)
    assert not can_nominate(plugins.make("distances", "dot"), 30, 10)


def test_the_number_of_threads_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    items = np.random.default_rng(0).standard_normal((200, 4)).astype(np.float32)
    Nomination(plugins.make("distances", "dot"), items).query(items, 3)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("name", DISTANCES)
def test_float64_vectors_are_taken(name: str) -> None:
    rng = np.random.default_rng(0)
    vectors, items = rng.standard_normal((20, 8)), rng.standard_normal((500, 8))
    distance = plugins.make("distances", name)
    codes, _, certain = Nomination(distance, items).query(vectors, 5)  # type: ignore[arg-type]
    true, _ = few(distance, items, vectors, 5, None)  # type: ignore[arg-type]
    assert certain.any()
    assert (codes[certain] == true[certain]).all()


def test_read_only_vectors_are_taken() -> None:
    items = np.random.default_rng(0).standard_normal((200, 4)).astype(np.float32)
    items.flags.writeable = False
    prepared = PreparedItems.of(plugins.make("distances", "dot"), items, "float32")
    assert nominate(prepared, items, 3)[2].any()


@pytest.mark.parametrize(("fast", "given"), [(True, ("bfloat16", "float32")), (False, ("float32",))])
def test_bfloat16_is_tried_first_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, fast: bool, given: tuple[Precision, ...]
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    assert precisions(0) == given


@pytest.mark.slow
def test_torch_is_imported_once_so_many_scores_were_asked_for() -> None:
    code = """
import sys
import numpy as np
from recsys import plugins
from recsys.retrieval.index.mixed_precision import Nomination, Sizes
points = np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)
many = Nomination(plugins.make("distances", "dot"), points, Sizes(torch_pays=5_000))
for vectors in (10, 5, 10):
    many.query(points[:vectors], 3)
    print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]

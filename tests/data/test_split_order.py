from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.hashing import combine, mix, text_keys
from recsys.data.splits.order import kth_smallest

WHOLE = st.integers(-(2**63), 2**63 - 1)
NATURAL = st.integers(0, 2**64 - 1)


@settings(deadline=None, max_examples=50)
@given(st.lists(WHOLE | st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_the_kth_smallest_is_that_of_a_sort(values: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(values) - 1))
    parts = [np.array(values[::2], dtype=np.int64), np.array(values[1::2], dtype=np.int64)]
    assert kth_smallest(lambda: parts, k) == sorted(values)[k]
    assert kth_smallest(lambda: parts, k, fits=2) == sorted(values)[k]


@settings(deadline=None, max_examples=50)
@given(st.lists(NATURAL, min_size=1, max_size=40), st.data())
def test_it_knows_unsigned_numbers(values: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(values) - 1))
    assert kth_smallest(lambda: [np.array(values, dtype=np.uint64)], k, fits=2) == sorted(values)[k]


def slow_mix(x: int) -> int:
    mask = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


@given(NATURAL)
def test_mix_is_the_finaliser_of_splitmix(x: int) -> None:
    assert int(mix(np.array([x], dtype=np.uint64))[0]) == slow_mix(x)


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), max_size=30))
def test_a_text_has_one_key_wherever_it_stands(texts: list[str]) -> None:
    keys = text_keys(pl.Series(texts, dtype=pl.String))
    assert len(keys) == len(texts)
    for text, key in zip(texts, keys, strict=True):
        places = sum(slow_mix(place * 256 + byte) for place, byte in enumerate(text.encode()))
        assert int(key) == slow_mix((places + len(text.encode())) % 2**64)


def test_keys_differ() -> None:
    keys = text_keys(pl.Series([str(number) for number in range(200_000)]))
    assert len(np.unique(keys)) == 200_000
    assert len(np.unique(keys >> np.uint64(44))) > 150_000
    first, second = keys[:1000], keys[1000:2000]
    assert not (combine(first, second) == combine(second, first)).any()

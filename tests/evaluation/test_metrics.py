"""Metrics against their definitions in loops."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import plugins
from recsys.evaluation.names import metric
from tests.evaluation.lists import DEFINITIONS, ranked


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[int]], list[set[int]], int]:
    items = draw(st.integers(1, 12))
    users = draw(st.integers(1, 6))
    lists = [draw(st.permutations(range(items)))[: draw(st.integers(0, items))] for _ in range(users)]
    truth = [draw(st.sets(st.integers(0, items - 1))) for _ in range(users)]
    return [[*line] for line in lists] + [[0]], [*truth, {0}], items


@pytest.mark.parametrize("name", DEFINITIONS)
@given(case=cases(), k=st.integers(1, 14), unknown=st.integers(0, 2))
def test_values_are_those_of_the_definition(
    name: str, case: tuple[list[list[int]], list[set[int]], int], k: int, unknown: int
) -> None:
    lists, truth, items = case
    found = plugins.make("metrics", name, {"k": k})(ranked(lists, truth, items, unknown=unknown))
    for line, relevant, value in zip(lists, truth, found, strict=True):
        size = len(relevant) + unknown
        if size:
            assert value == pytest.approx(DEFINITIONS[name](line, relevant, size, k), abs=1e-12)
        else:
            assert math.isnan(value)


@given(case=cases(), k=st.integers(1, 14))
def test_metrics_of_the_catalogue_are_those_of_the_definition(
    case: tuple[list[list[int]], list[set[int]], int], k: int
) -> None:
    lists, truth, items = case
    beside = ranked(lists, truth, items)  # item i was chosen by i of `items` users
    shown = [item for line in lists for item in line[:k]]
    times = sorted(shown.count(item) for item in range(items))
    assert metric(f"coverage@{k}")(beside) == pytest.approx(len(set(shown)) / items)
    gap = sum(abs(a - b) for a in times for b in times) / (2 * items * sum(times))  # mean difference form
    assert metric(f"gini@{k}")(beside) == pytest.approx(gap)
    for line, value in zip(lists, metric(f"novelty@{k}")(beside), strict=True):
        bits = [math.log2(items / max(item, 1)) for item in line[:k]]
        assert value == pytest.approx(sum(bits) / len(bits)) if bits else math.isnan(value)


def test_empty_lists_have_no_gini() -> None:
    beside = replace(ranked([[0]], [{0}], 3), codes=np.full((1, 1), -1, dtype=np.int32))
    assert np.isnan(metric("gini@1")(beside))
    assert metric("coverage@1")(beside) == 0
    assert np.isnan(metric("novelty@1")(beside)).all()

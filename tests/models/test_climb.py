"""Climbing over a few values in a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recsys.models.climb import climb


@given(st.integers(1, 9), st.integers(0, 8))
def test_a_single_peak_is_found_and_nothing_judged_twice(count: int, peak: int) -> None:
    tried: list[float] = []

    def quality(value: float) -> float:
        tried.append(value)
        return -abs(value - min(peak, count - 1))

    assert climb(range(count), quality) == (min(peak, count - 1), 0)
    assert len(tried) == len(set(tried))


def test_a_flat_line_keeps_the_middle() -> None:
    assert climb((1.0, 2.0, 3.0), lambda _: 0.0) == (2.0, 0.0)


def test_a_known_middle_is_not_judged() -> None:
    tried: list[float] = []
    assert climb((1.0, 2.0, 3.0), lambda value: tried.append(value) or 0.0, 5.0) == (2.0, 5.0)  # type: ignore[func-returns-value]
    assert tried == [3.0, 1.0]

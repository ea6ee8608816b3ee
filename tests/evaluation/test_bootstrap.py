"""Bootstrap intervals against what statistics says of them."""

from __future__ import annotations

import numpy as np
import pytest

from recsys import seeds
from recsys.evaluation.bootstrap import catalogue_interval, mean_intervals, weights_of_resamples
from recsys.evaluation.names import metric
from tests.evaluation.lists import ranked


def test_the_width_is_that_of_the_central_limit() -> None:
    values = np.random.default_rng(0).random((2000, 2)) * [1.0, 3.0]
    error = values.std(axis=0) / np.sqrt(len(values))
    low, high = mean_intervals(values, 0).T
    np.testing.assert_allclose(
        (low, high), values.mean(axis=0) + np.outer([-1.96, 1.96], error), atol=0.3 * error.max()
    )
    np.testing.assert_allclose(high - low, 3.92 * error, rtol=0.1)


def test_one_resample_is_what_drawing_users_by_hand_gives() -> None:
    for at_once, sizes in ((1, [1] * 7), (15, [3, 3, 1]), (1 << 20, [7])):
        blocks = list(weights_of_resamples(5, 7, seed=1, at_once=at_once))
        assert [len(block) for block in blocks] == sizes
        generator = seeds.generator(1, "bootstrap")
        for block in blocks:
            for row, drawn in zip(block, generator.integers(0, 5, block.shape), strict=True):
                assert row.tolist() == [sum(each == user for each in drawn) for user in range(5)]


def test_undefined_values_are_left_out() -> None:
    values = np.array([[0.5, np.nan, np.nan], [0.5, 1.0, np.nan], [0.5, 1.0, np.nan]])
    found = mean_intervals(values, 0)
    np.testing.assert_array_equal(found, [[0.5, 0.5], [1.0, 1.0], [np.nan, np.nan]])


def test_one_user_has_an_interval_of_no_width() -> None:
    np.testing.assert_array_equal(mean_intervals(np.array([[0.25]]), 0), [[0.25, 0.25]])


def test_an_interval_of_the_catalogue_holds_the_value() -> None:
    rng = np.random.default_rng(0)
    beside = ranked(rng.integers(0, 40, (60, 1)).tolist(), [{0}] * 60, 40)
    coverage = metric("coverage@1")
    low, high = catalogue_interval(coverage, beside, 0)
    assert 0 <= low < float(coverage(beside)) < high <= 1
    assert (low, high) == catalogue_interval(coverage, beside, 0)
    again = [float(coverage(ranked(beside.codes[rng.integers(0, 60, 60)].tolist(), [{0}] * 60, 40)))
             for _ in range(400)]  # fmt: skip
    assert high - low == pytest.approx(2 * 1.96 * np.std(again), rel=0.25)

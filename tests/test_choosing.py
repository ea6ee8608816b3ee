"""What is preferred is kept where a validation set cannot tell candidates apart, given up where it can."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.choosing import Judgement, clearly_better, climb, preferred

USERS = 1000
values = st.floats(0, 1) | st.just(math.nan)


def drawn(rng: np.random.Generator, gains: list[float]) -> list[Judgement]:
    """Candidates judged on the same users: a user who is hard for one is hard for all."""
    hardness = rng.normal(size=USERS)
    return [Judgement(hardness + rng.normal(gain, 0.3, USERS)) for gain in gains]


def shares_kept(choose: Callable[[list[Judgement]], int], gains: list[float]) -> list[float]:
    rng = np.random.default_rng(0)
    taken = [choose(drawn(rng, gains)) for _ in range(500)]
    return [taken.count(place) / 500 for place in range(len(gains))]


@given(st.lists(st.tuples(values, values), min_size=1, max_size=9))
def test_the_error_is_that_of_the_paired_difference(pairs: list[tuple[float, float]]) -> None:
    one, other = (Judgement(np.array(column)) for column in zip(*pairs, strict=True))
    means = [statistics.fmean(kept) if (kept := [value for value in column if value == value]) else math.nan
             for column in zip(*pairs, strict=True)]  # fmt: skip
    np.testing.assert_allclose([one, other], means)
    gaps = [mine - its for mine, its in pairs if mine == mine and its == its]
    if not any(map(math.isnan, means)) and len(gaps) > 1:
        error = statistics.stdev(gaps) / math.sqrt(len(gaps))
        if abs(means[0] - means[1] - error) > 1e-9:
            assert clearly_better(one, other) == (means[0] - means[1] > error)
    assert not (clearly_better(one, other) and clearly_better(other, one))


def test_of_candidates_that_are_equal_in_truth_the_preferred_is_kept() -> None:
    """One of two is over a standard error ahead in one case of six; the best of two in one of two."""
    assert shares_kept(preferred, [0.0, 0.0])[0] == pytest.approx(0.84, abs=0.05)
    assert shares_kept(lambda found: found.index(max(found)), [0.0, 0.0])[0] == pytest.approx(0.5, abs=0.07)
    five = [0.0] * 5
    assert shares_kept(preferred, five)[0] > 3 * shares_kept(lambda found: found.index(max(found)), five)[0]


def test_a_candidate_that_is_better_in_truth_is_taken() -> None:
    """A tenth of the spread of users, which no comparison of means that are not paired would see."""
    found = drawn(np.random.default_rng(1), [0.0, 0.1])
    apart = math.hypot(*(each.per_user.std() / USERS**0.5 for each in found))
    assert apart > 0.04
    assert shares_kept(preferred, [0.0, 0.1]) == [0.0, 1.0]
    assert shares_kept(preferred, [0.0, 0.1, 0.1])[1] > 0.75  # and of two such the one that is preferred


def test_one_user_tells_nothing_and_a_plain_number_all() -> None:
    one, other = Judgement(np.array([1.0])), Judgement(np.array([0.0]))
    assert one > other
    assert not clearly_better(one, other)
    assert preferred([other, one]) == 0
    assert preferred([0.3, 0.5, 0.5]) == 1
    assert preferred([math.nan, 0.0]) == 1
    assert preferred([math.nan, math.nan]) == 0


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


@pytest.mark.parametrize(("step", "taken", "share"), [(0.0, 3.0, 0.6), (0.1, 5.0, 1.0)])
def test_a_climb_leaves_the_middle_for_what_is_better_in_truth(
    step: float, taken: float, share: float
) -> None:
    """Of equal places three are tried, and each of the other two looks clearly better in one case of six."""
    rng, ladder, ends = np.random.default_rng(0), [1.0, 2.0, 3.0, 4.0, 5.0], []
    for _ in range(200):
        found = dict(zip(ladder, drawn(rng, [step * place for place in range(5)]), strict=True))
        value, quality = climb(ladder, found.__getitem__)
        assert quality is found[value]
        ends.append(value)
    assert ends.count(taken) >= share * len(ends)


def test_a_climb_of_small_steps_that_add_up_goes_where_the_sum_is_clear() -> None:
    """Each step is below the error of its difference, both together above it."""
    noise = np.random.default_rng(5).normal(size=USERS)
    noise -= noise.mean()
    steps = [Judgement(noise * rise * 100 + rise) for rise in (0.0, 0.02, 0.04)]
    spread = np.random.default_rng(6).normal(size=USERS)
    steps[2] = Judgement(steps[2].per_user - noise * 4 + (spread - spread.mean()) * 0.5)
    heights = {0.0: -1.0, 1.0: -1.0, 2.0: steps[0], 3.0: steps[1], 4.0: steps[2]}
    assert not clearly_better(steps[1], steps[0])
    assert clearly_better(steps[2], steps[0])
    value, _ = climb(list(heights), heights.__getitem__)
    assert value > 2.0

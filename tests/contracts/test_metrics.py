"""Every metric found keeps what a metric promises."""

from __future__ import annotations

import numpy as np
import pytest

from recsys import plugins
from recsys.errors import InputError
from tests.evaluation.lists import ranked

NAMES = plugins.names("metrics")
OF_TRUTH = [name for name in NAMES if name not in ("coverage", "novelty", "gini")]


def test_the_metrics_of_the_definition_are_there() -> None:
    wanted = {
        "recall",
        "precision",
        "ndcg",
        "mrr",
        "average_precision",
        "hit_rate",
        "coverage",
        "novelty",
        "gini",
    }
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_finite_values(name: str) -> None:
    part = plugins.make("metrics", name, {"k": 2})
    values = part(ranked([[0, 1], [2, 3], [4]], [{0}, {1}, {4}], items=6))
    assert values.shape == ((3,) if part.per_user else ())
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", OF_TRUTH)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_perfect_list_is_1_and_a_list_without_a_hit_is_0(name: str, k: int) -> None:
    part = plugins.make("metrics", name, {"k": k})
    assert part(
        ranked([[2, 0, 1][:k]], [{0, 1, 2} if k == 3 else {2, 0} if k == 2 else {2}], 6)
    ).tolist() == [1]
    assert part(ranked([[3, 4, 5]], [{0, 1}], 6)).tolist() == [0]


@pytest.mark.parametrize("name", OF_TRUTH)
def test_a_user_without_truth_is_undefined(name: str) -> None:
    values = plugins.make("metrics", name, {"k": 2})(ranked([[0, 1], [0, 1]], [set(), {0}], 6))
    assert np.isnan(values[0])
    assert values[1] > 0


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_below_the_cut_off_does_not_matter(name: str) -> None:
    part = plugins.make("metrics", name, {"k": 2})
    truth = [{0, 3}, {1}]
    np.testing.assert_array_equal(
        part(ranked([[0, 1, 2, 3], [4, 1, 0, 2]], truth, 6)),
        part(ranked([[0, 1, 3, 4], [4, 1, 2, 3]], truth, 6)),
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_users_does_not_matter(name: str) -> None:
    part = plugins.make("metrics", name, {"k": 3})
    lists, truth = [[0, 1, 2], [3, 1, 4], [5, 0, 1]], [{2}, {3, 4}, {1, 2}]
    there, back = part(ranked(lists, truth, 6)), part(ranked(lists[::-1], truth[::-1], 6))
    np.testing.assert_allclose(there, back[::-1] if part.per_user else back)


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_off_below_1_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="k is 0"):
        plugins.make("metrics", name, {"k": 0})


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_off_longer_than_the_lists(name: str) -> None:
    values = plugins.make("metrics", name, {"k": 50})(ranked([[0, 1], [2]], [{0}, {1}], 6))
    assert np.isfinite(values).all()

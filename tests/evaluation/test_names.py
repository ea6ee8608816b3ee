"""Names of metrics."""

import pytest

from recsys.errors import InputError
from recsys.evaluation.names import DEFAULT, metric


def test_every_default_is_a_metric() -> None:
    for name in DEFAULT:
        assert metric(name).k == int(name.split("@")[1])


def test_without_a_cut_off_the_default_of_the_part_counts() -> None:
    assert metric("mrr").k == 20


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recal@20", "there are: .*recall.*did you mean recall"),
        ("ndcg@", "ndcg@20"),
        ("ndcg@x", "ndcg@20"),
        ("ndcg@-1", "ndcg@20"),
        ("ndcg@0", "k is 0"),
    ],
)
def test_a_wrong_name_says_what_is_allowed(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        metric(name)

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.evaluation.groups import activity, by_group
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests import factories


@pytest.fixture
def run(home: Home) -> RunFolder:
    """Twelve users, of whom user n has chosen n items; the one who is unknown to train was scored too."""
    rows = [list(range(user)) for user in range(12)]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    seen = factories.Ragged(indptr, np.concatenate(rows).astype(np.int32))
    run = factories.run_folder(home, factories.embeddings(), seen)
    run.evaluation.mkdir()
    users = [f"u{user}" for user in range(11, -1, -1)] + ["stranger"]
    values = [user / 10 for user in range(11, -1, -1)] + [float("nan")]
    table = pl.DataFrame({"user": users, "ndcg@10": values})
    table.write_parquet(run.evaluation / "per_user.parquet")
    table.with_columns(pl.lit(float("nan")).alias("ndcg@10")).write_parquet(run.evaluation / "als.parquet")
    run.write_manifest({"model": {"name": "two_tower"}, "baselines": {"als": {}}, "seed": 0})
    run.seal()
    return run


def test_each_group_has_the_mean_of_its_own_users(run: RunFolder) -> None:
    found = by_group(run, "activity")
    assert found.columns == ["group", "model", "metric", "users", "value", "low", "high"]
    ours = found.filter(model="two_tower")
    # The stranger counts as one without items: 0 0 1 2 | 3 4 5 | 6 7 8 | 9 10 11.
    assert ours["group"].to_list() == ["0 to 2", "3 to 5", "6 to 8", "9 to 11"]
    assert ours["users"].to_list() == [3, 3, 3, 3]
    assert ours["value"].to_list() == pytest.approx([0.1, 0.4, 0.7, 1.0])
    assert (ours["low"] <= ours["value"]).all()
    assert (ours["value"] <= ours["high"]).all()
    assert found.filter(model="als").select("users", "value", "low").unique().rows() == [(0, None, None)]


def test_what_cannot_be_grouped_is_refused(run: RunFolder) -> None:
    with pytest.raises(InputError, match="by is 'age'; it is one of: activity"):
        by_group(run, "age")
    run.write_manifest({**run.manifest(), "refit": "all"})
    run.seal()
    with pytest.raises(InputError, match="run-1 was fitted to its test set too"):
        by_group(run, "activity")


@given(st.lists(st.integers(0, 30), min_size=1))
def test_groups_are_a_partition_in_order_and_equals_stay_together(chosen: list[int]) -> None:
    counts = np.array(chosen)
    groups = [counts[users] for _, users in activity(counts)]
    assert sorted(np.concatenate(groups).tolist()) == sorted(chosen)
    assert 1 <= len(groups) <= 4
    assert all(one.max() < other.min() for one, other in pairwise(groups))

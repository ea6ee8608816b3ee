import numpy as np
import polars as pl
import pytest

from benchmarks import export
from recsys.embeddings import Embeddings
from recsys.ids import IdMap
from recsys.ragged import Ragged


def world() -> tuple[Embeddings, Ragged]:
    rng = np.random.default_rng(0)
    ids = [
        IdMap(pl.Series("id", [f"{kind}{n}" for n in range(size)])) for kind, size in (("u", 7), ("i", 30))
    ]
    vectors = [rng.standard_normal((size, 4), dtype=np.float32) for size in (7, 30)]
    seen = Ragged(np.arange(8, dtype=np.int64) * 2, np.tile(np.array([3, 5], np.int32), 7))
    return Embeddings(*vectors, *ids, "dot"), seen


def test_every_user_is_written() -> None:
    row = export.measured(*world(), k=5)
    assert len(row) == len(export.COLUMNS)
    assert row[0] == 7
    assert row[1] > 0


def test_one_user_is_written_of_all() -> None:
    assert export.measured(*world(), k=5, first=1)[0] == 1


def test_a_list_that_comes_out_short_is_told() -> None:
    with pytest.raises(RuntimeError, match="for 7 users, 30 each"):
        export.measured(*world(), k=30)  # two of 30 items are seen


def test_users_are_repeated_with_what_they_have_seen() -> None:
    model, seen = world()
    more, rows = export.repeated(model, seen, 3)
    assert len(more.user_ids) == 21
    np.testing.assert_array_equal(more.users[7:14], model.users)
    for user in range(21):
        np.testing.assert_array_equal(rows.row(user), seen.row(user % 7))

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.seen import Seen
from recsys.retrieval.serving_files import read_seen, read_titles, write_seen, write_titles
from recsys.storage import arrays

ROWS = Ragged(np.array([0, 2, 2, 3]), np.array([1, 4, 0], dtype=np.int32))
OTHERS = Ragged(np.array([0, 1, 2, 2]), np.array([2, 3], dtype=np.int32))


def test_seen_comes_back_by_user(tmp_path: Path) -> None:
    write_seen(tmp_path / "seen.safetensors", Seen.of(ROWS, OTHERS))
    seen = read_seen(tmp_path / "seen.safetensors", 3)
    assert [seen.rows.row(user).tolist() for user in range(3)] == [[1, 2, 4], [3], [0]]
    learned = seen.learned_rows()
    assert [learned.row(user).tolist() for user in range(3)] == [[1, 4], [], [0]]
    assert seen.counts(6).tolist() == [1, 1, 0, 0, 1, 0]
    assert all(not array.flags.owndata for array in (seen.rows.indices, seen.learned)), "both stay mapped"


def test_seen_of_other_users_is_refused(tmp_path: Path) -> None:
    write_seen(tmp_path / "seen.safetensors", Seen.of(ROWS, OTHERS))
    with pytest.raises(RecsysError, match="holds 3 users, the model 4"):
        read_seen(tmp_path / "seen.safetensors", 4)


def test_seen_without_its_arrays_is_refused(tmp_path: Path) -> None:
    arrays.save(tmp_path / "seen.safetensors", {"indptr": ROWS.indptr})
    with pytest.raises(RecsysError, match="no array 'indices'"):
        read_seen(tmp_path / "seen.safetensors", 3)


def test_a_run_of_before_is_refused_with_what_to_do(tmp_path: Path) -> None:
    arrays.save(tmp_path / "seen.safetensors", {"indptr": ROWS.indptr, "indices": ROWS.indices})
    with pytest.raises(RecsysError, match=r"written by an older version.*; train again"):
        read_seen(tmp_path / "seen.safetensors", 3)


def test_titles_come_back_and_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "titles.safetensors"
    assert read_titles(path, 3) is None
    write_titles(path, ["Amélie (2001)", None, ""])
    titles = read_titles(path, 3)
    assert titles is not None
    assert titles.take([0, 1, 2]) == ["Amélie (2001)", "", ""]
    with pytest.raises(RecsysError, match="holds 3 titles, the model 2 items"):
        read_titles(path, 2)

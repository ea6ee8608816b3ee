from pathlib import Path

import numpy as np
import pytest

from recsys.errors import RecsysError
from recsys.storage import arrays


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32, np.uint32, np.uint8, np.bool_])
def test_what_is_saved_is_mapped_back(tmp_path: Path, dtype: type) -> None:
    values = {
        "a": np.arange(7).astype(dtype),
        "b": np.arange(6).reshape(2, 3).astype(dtype),
        "none": np.zeros((0, 3), dtype),
    }
    arrays.save(tmp_path / "x.safetensors", values)
    found = arrays.load(tmp_path / "x.safetensors")
    assert found.keys() == values.keys()
    for name, array in values.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_mapped_arrays_are_read_only(tmp_path: Path) -> None:
    arrays.save(tmp_path / "x", {"a": np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="read-only"):
        arrays.load(tmp_path / "x")["a"][0] = 1


@pytest.mark.parametrize("keep", [0, 4, 20, -1])
def test_a_cut_off_file_is_an_error(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "x"
    arrays.save(path, {"a": np.zeros(100, np.float32)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RecsysError, match="not a whole safetensors file"):
        arrays.load(path)


def test_a_foreign_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x10" + bytes(7) + b"not json at all!" * 2)
    with pytest.raises(RecsysError, match="not a whole safetensors file"):
        arrays.load(tmp_path / "x")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecsysError, match="missing"):
        arrays.load(tmp_path / "x")

"""Named arrays in one safetensors file, read back as memory-mapped views."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.errors import RecsysError
from recsys.storage.files import replacing

FloatArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

_DTYPES: Final = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32,
    "I16": np.int16, "I8": np.int8, "U64": np.uint64, "U32": np.uint32, "U16": np.uint16,
    "U8": np.uint8, "BOOL": np.bool_,
}  # fmt: skip


def save(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write ``arrays`` to a safetensors file, whole or not at all."""
    from safetensors.numpy import save_file

    with replacing(path) as temporary:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)


def load(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Map every array of a safetensors file, read-only.

    The format is a little-endian u64 header length, a JSON header and the raw bytes, so mapping it needs
    nothing but numpy. Source: the safetensors format description.

    Raises:
        RecsysError: If the file is missing, cut off, or not in this format.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= size - 8:
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        data = np.memmap(path, dtype=np.uint8, mode="r", offset=0)[8 + length :]
        return {name: _view(data, entry) for name, entry in header.items()}
    except FileNotFoundError as error:
        raise RecsysError(f"{path} is missing; the folder is not complete: make it again") from error
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise RecsysError(
            f"{path} is not a whole safetensors file ({error}); restore it or make it again"
        ) from error


def _view(data: npt.NDArray[np.uint8], entry: dict[str, Any]) -> npt.NDArray[Any]:
    begin, end = entry["data_offsets"]
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
    if not 0 <= begin <= end <= len(data) or end - begin != dtype.itemsize * int(np.prod(shape)):
        raise ValueError(f"offsets {begin}..{end} do not hold {entry['dtype']} {shape}")
    if begin % dtype.itemsize:
        return np.frombuffer(data[begin:end].tobytes(), dtype=dtype).reshape(shape)
    return data[begin:end].view(dtype).reshape(shape)

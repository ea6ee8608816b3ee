"""Files that are whole or absent: written under a temporary name, synced, and renamed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recsys.errors import RecsysError

TEMPORARY = ".partial-"
_SWAPPED = ".old"
_TEMPORARY_NAME = re.compile(
    re.escape(TEMPORARY) + r"(?P<name>.+)-(?P<process>\d+)-[0-9a-f]{8}(?P<swapped>\.old)?"
)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the place of ``path``, else it is removed.

    Works for a file or a folder that the caller makes under the yielded path. An existing folder is
    swapped out and removed only after the new one is in place.

    Raises:
        RecsysError: If the disk is full or the place cannot be written; ``path`` is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{TEMPORARY}{path.name}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        yield temporary
        _sync(temporary)
        if path.is_dir():
            old = temporary.with_name(temporary.name + _SWAPPED)
            os.rename(path, old)
            os.rename(temporary, path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(temporary, path)
    except OSError as error:
        remove(temporary)
        raise RecsysError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another place"
        ) from error
    except BaseException:
        remove(temporary)
        raise


def remove(path: Path) -> None:
    """Remove a file or a folder; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written in ``folder``; work of living ones stays.

    A folder that was swapped out when its process was killed is put back.
    """
    for path in folder.glob(f"{TEMPORARY}*") if folder.is_dir() else ():
        match = _TEMPORARY_NAME.fullmatch(path.name)
        if match and _alive(int(match["process"])):
            continue
        if match and match["swapped"] and not (folder / match["name"]).exists():
            os.rename(path, folder / match["name"])
        else:
            remove(path)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        RecsysError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecsysError(f"{path} is missing; the folder is not complete: make it again") from error
    except ValueError as error:
        raise RecsysError(
            f"{path} is not valid JSON ({error}); restore it or make the folder again"
        ) from error


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())

"""Where an export is written: a local path, with renames, or a URL of fsspec, with a manifest last."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from recsys.errors import InputError, RecsysError
from recsys.storage.files import read_json, remove, replacing, sha256, sweep, write_json

# In the work folder of a local export: what is exported, and the manifest of lists that are whole.
JOB: Final = "job.json"
DONE: Final = "manifest.json"


class Place(Protocol):
    """Where the parts of one export go, and where they become visible all at once."""

    def prepare(self) -> None:
        """Keep the parts of the same export; start again where another one was stopped.

        Raises:
            InputError: If something lies there that no export made.
            RecsysError: If the place cannot be written.
        """
        ...

    def written(self, number: int) -> dict[str, Any] | None:
        """File, bytes and sha256 of a part that is whole; None where it is not there."""
        ...

    def write(self, number: int, make: Callable[[Path], None]) -> dict[str, Any]:
        """Write a part, whole or not at all; returns what ``written`` does.

        Args:
            number: From 0.
            make: Writes it to a local path.
        """
        ...

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """Make the parts visible, in place of what was there, and the manifest after them."""
        ...


def place(out: str, identity: Mapping[str, Any]) -> Place:
    """The place that a path, or a URL such as ``s3://bucket/lists``, names.

    Args:
        out: The file, or the folder of parts.
        identity: What is exported; its ``format`` is parquet, csv or jsonl, and ``in_parts`` says whether a
            folder is made.

    Raises:
        InputError: If nothing installed knows the URL.
    """
    scheme = out.partition("://")[0] if "://" in out else ""
    if scheme in ("", "file"):
        return LocalPlace(Path(out.removeprefix("file://")), identity)
    from fsspec.core import url_to_fs

    try:
        store, path = url_to_fs(out)
    except (ImportError, ValueError) as error:
        raise InputError(f"{out} cannot be written: {error}") from error
    return RemotePlace(store, path.rstrip("/"), identity)


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """Parts in a hidden folder beside ``out``, renamed into its place when all are whole.

    A process killed between two renames leaves what the next export to ``out`` completes.

    Args:
        out: The file, or the folder of parts.
        identity: See ``place``.
    """

    out: Path
    identity: Mapping[str, Any]

    @property
    def work(self) -> Path:
        """Where parts are until all are whole."""
        return self.out.parent / f".{self.out.name}.export"

    def prepare(self) -> None:
        """See ``Place``."""
        self._complete()
        if self.out.is_dir() and not self._manifest.exists():
            raise InputError(
                f"{self.out} is a folder that no export made; give another name, or remove it first"
            )
        path = self.work / JOB
        if self.work.exists() and (not path.exists() or read_json(path) != self.identity):
            remove(self.work)
        try:
            (self.work / "parts").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecsysError(
                f"cannot write in {self.work.parent}: {error.strerror}; choose another place"
            ) from error
        sweep(self.work / "parts")
        write_json(path, self.identity)

    def written(self, number: int) -> dict[str, Any] | None:
        """See ``Place``."""
        path = self._part(number)
        if not path.exists():
            return None
        return _record(path.name if self.identity["in_parts"] else self.out.name, path)

    def write(self, number: int, make: Callable[[Path], None]) -> dict[str, Any]:
        """See ``Place``."""
        with replacing(self._part(number)) as temporary:
            make(temporary)
            return _record(self._part(number).name if self.identity["in_parts"] else self.out.name, temporary)

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """See ``Place``."""
        write_json(self.work / DONE, manifest)
        self._complete()

    @property
    def _manifest(self) -> Path:
        return self.out.with_name(f"{self.out.name}.manifest.json")

    def _part(self, number: int) -> Path:
        return self.work / "parts" / f"part-{number:05d}.{self.identity['format']}"

    def _complete(self) -> None:
        """Put finished lists in the place of what was there, and their manifest beside them.

        The manifest in ``work`` says that the lists are whole, so that the next export that finds
        it there continues where a process was killed. The old manifest goes first and the new one comes last:
        one that is beside lists is always theirs.
        """
        work, out = self.work, self.out
        if not (work / DONE).exists():
            return
        in_parts = read_json(work / JOB)["in_parts"]
        lists = work / "parts" if in_parts else next((work / "parts").iterdir(), None)
        try:
            if lists is not None and lists.exists():
                self._manifest.unlink(missing_ok=True)
                if out.is_dir() or (in_parts and out.exists()):
                    remove(work / "old")
                    os.rename(out, work / "old")
                os.replace(lists, out)
            os.replace(work / DONE, self._manifest)
        except OSError as error:
            raise RecsysError(f"cannot write {out}: {error.strerror}; choose another place") from error
        remove(work)


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """Objects whose names hold the identity of the export; the manifest, written last, says which ones count.

    An object store has no rename, but an object is there whole or not at all. Readers take the files that
    ``<out>.manifest.json`` names; objects of other exports in the folder are removed after it is written.

    Args:
        store: An fsspec file system.
        path: Of the file or folder in it.
        identity: See ``place``.
    """

    store: Any
    path: str
    identity: Mapping[str, Any]

    @property
    def mark(self) -> str:
        """What tells the objects of this export from those of others."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()[:12]

    def prepare(self) -> None:
        """See ``Place``."""
        with self._errors():
            if not self.store.isdir(self.path) or self.store.exists(self._manifest):
                return
            if any(f"-{self.mark}." not in each for each in self._files()):
                raise InputError(
                    f"{self.path} is a folder that no export made; give another name, or remove it first"
                )

    def written(self, number: int) -> dict[str, Any] | None:
        """See ``Place``."""
        path = self._part(number)
        with self._errors():
            if not self.store.exists(path):
                return None
            with self.store.open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = int(self.store.size(path))
        return {"file": _name(path), "bytes": size, "sha256": digest}

    def write(self, number: int, make: Callable[[Path], None]) -> dict[str, Any]:
        """See ``Place``."""
        path = self._part(number)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "part"
            make(local)
            with self._errors():
                self.store.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
                self.store.put_file(str(local), path)
            return _record(_name(path), local)

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """See ``Place``."""
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        with self._errors():
            self.store.pipe_file(self._manifest, text.encode())
            named = {each["file"] for each in manifest["files"]}
            for each in self._files():
                if _name(each) not in named:
                    self.store.rm_file(each)

    @property
    def _manifest(self) -> str:
        return f"{self.path}.manifest.json"

    def _part(self, number: int) -> str:
        if self.identity["in_parts"]:
            return f"{self.path}/part-{number:05d}-{self.mark}.{self.identity['format']}"
        stem, _, ending = self.path.rpartition(".")
        return f"{stem}-{self.mark}.{ending}"

    def _files(self) -> list[str]:
        """Objects that an export with this name has made."""
        self.store.invalidate_cache()
        if self.identity["in_parts"]:
            return [str(each) for each in self.store.find(self.path)]
        stem, _, ending = self.path.rpartition(".")
        return [str(each) for each in self.store.glob(f"{stem}-{'[0-9a-f]' * 12}.{ending}")]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (InputError, RecsysError):
            raise
        except Exception as error:  # each store raises errors of its own
            raise RecsysError(f"cannot write {self.path}: {error}; choose another place") from error


def _record(name: str, path: Path) -> dict[str, Any]:
    """What the manifest says of a file."""
    return {"file": name, "bytes": path.stat().st_size, "sha256": sha256(path)}


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]

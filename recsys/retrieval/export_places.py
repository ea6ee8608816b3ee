"""Where an export is written: a local path, with renames, or a URL of fsspec, with a manifest last."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
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

    def prepare(self, identity: Mapping[str, Any]) -> None:
        """Keep the parts of the same export; start again where another one was stopped.

        Raises:
            InputError: If something lies there that no export made.
            RecsysError: If the place cannot be written.
        """
        ...

    def resume(self, identity: Mapping[str, Any]) -> None:
        """Note which export this is, in a process that did not prepare it."""
        ...

    def written(self, number: int) -> dict[str, Any] | None:
        """File, bytes and sha256 of a part that is whole; None where it is not there."""
        ...

    def writing(self, number: int) -> AbstractContextManager[Path]:
        """A local path to write a part to; it is there whole when the context ends without an error."""
        ...

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """Make the parts visible, in place of what was there, and the manifest after them."""
        ...


def place(out: str | Path, form: str, *, in_parts: bool) -> Place:
    """The place that a path, or a URL such as ``s3://bucket/lists``, names.

    Raises:
        InputError: If nothing installed knows the URL.
    """
    text = str(out)
    scheme = text.partition("://")[0] if "://" in text else ""
    if scheme in ("", "file"):
        return LocalPlace(Path(text.removeprefix("file://")), form, in_parts)
    from fsspec.core import url_to_fs

    try:
        store, path = url_to_fs(text)
    except (ImportError, ValueError) as error:
        raise InputError(f"{text} cannot be written: {error}") from error
    return RemotePlace(store, path, form, in_parts)


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """Parts in a hidden folder beside ``out``, renamed into its place when all are whole.

    A process killed between two renames leaves what the next export to ``out`` completes.

    Args:
        out: The file, or the folder of parts.
        form: parquet, csv or jsonl.
        in_parts: Whether a folder is made.
    """

    out: Path
    form: str
    in_parts: bool

    @property
    def work(self) -> Path:
        """Where parts are until all are whole."""
        return self.out.parent / f".{self.out.name}.export"

    def prepare(self, identity: Mapping[str, Any]) -> None:
        """See ``Place``."""
        self._complete()
        if self.out.is_dir() and not self._manifest.exists():
            raise InputError(
                f"{self.out} is a folder that no export made; give another name, or remove it first"
            )
        path = self.work / JOB
        if self.work.exists() and (not path.exists() or read_json(path) != identity):
            remove(self.work)
        try:
            (self.work / "parts").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecsysError(
                f"cannot write in {self.work.parent}: {error.strerror}; choose another place"
            ) from error
        sweep(self.work / "parts")
        write_json(path, identity)

    def resume(self, identity: Mapping[str, Any]) -> None:
        """Do nothing: the work folder says which export it is."""

    def written(self, number: int) -> dict[str, Any] | None:
        """See ``Place``."""
        path = self._part(number)
        if not path.exists():
            return None
        name = path.name if self.in_parts else self.out.name
        return {"file": name, "bytes": path.stat().st_size, "sha256": sha256(path)}

    def writing(self, number: int) -> AbstractContextManager[Path]:
        """See ``Place``."""
        return replacing(self._part(number))

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """See ``Place``."""
        write_json(self.work / DONE, manifest)
        self._complete()

    @property
    def _manifest(self) -> Path:
        return self.out.with_name(f"{self.out.name}.manifest.json")

    def _part(self, number: int) -> Path:
        return self.work / "parts" / f"part-{number:05d}.{self.form}"

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


class RemotePlace:
    """Objects whose names hold the identity of the export; the manifest, written last, says which ones count.

    An object store has no rename, but an object is there whole or not at all. Readers take the files that
    ``<out>.manifest.json`` names; objects of other exports in the folder are removed after it is written.

    Args:
        store: An fsspec file system.
        path: Of the file or folder in it.
        form: parquet, csv or jsonl.
        in_parts: Whether a folder is made.
    """

    def __init__(self, store: Any, path: str, form: str, in_parts: bool) -> None:
        self.store, self.path, self.form, self.in_parts = store, path.rstrip("/"), form, in_parts
        self.mark = ""

    def prepare(self, identity: Mapping[str, Any]) -> None:
        """See ``Place``."""
        self.resume(identity)
        with self._errors():
            if self.store.isdir(self.path) and self._files() and not self.store.exists(self._manifest):
                others = [each for each in self._files() if f"-{self.mark}." not in each]
                if others:
                    raise InputError(
                        f"{self.path} is a folder that no export made; give another name, or remove it first"
                    )

    def resume(self, identity: Mapping[str, Any]) -> None:
        """See ``Place``."""
        text = json.dumps(identity, sort_keys=True)
        self.mark = hashlib.sha256(text.encode()).hexdigest()[:12]

    def written(self, number: int) -> dict[str, Any] | None:
        """See ``Place``."""
        path = self._part(number)
        with self._errors():
            if not self.store.exists(path):
                return None
            digest = hashlib.sha256()
            with self.store.open(path, "rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
            size = int(self.store.size(path))
        return {"file": path.rsplit("/", 1)[-1], "bytes": size, "sha256": digest.hexdigest()}

    @contextmanager
    def writing(self, number: int) -> Iterator[Path]:
        """See ``Place``."""
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "part"
            yield local
            with self._errors():
                self.store.makedirs(self._part(number).rsplit("/", 1)[0], exist_ok=True)
                self.store.put_file(str(local), self._part(number))

    def commit(self, manifest: Mapping[str, Any]) -> None:
        """See ``Place``."""
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        with self._errors():
            self.store.pipe_file(self._manifest, text.encode())
            named = {each["file"] for each in manifest["files"]}
            for each in self._files():
                if each.rsplit("/", 1)[-1] not in named:
                    self.store.rm_file(each)

    @property
    def _manifest(self) -> str:
        return f"{self.path}.manifest.json"

    def _part(self, number: int) -> str:
        if self.in_parts:
            return f"{self.path}/part-{number:05d}-{self.mark}.{self.form}"
        stem, _, ending = self.path.rpartition(".")
        return f"{stem}-{self.mark}.{ending}"

    def _files(self) -> list[str]:
        """Objects that an export with this name has made."""
        self.store.invalidate_cache()
        if self.in_parts:
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

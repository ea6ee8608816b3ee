"""The run folder: what a run is made of, on disk, sealed by hashes. MLflow mirrors it.

::

    runs/<run>/run.json                  what was done and what came out (``RunFolder.manifest``)
               config.yaml               the whole configuration, every default written out
               plugins.json              foreign part -> package and version, or file and sha256
               model/                    ``Embeddings.save``
               seen.safetensors          indptr (U + 1,) i64, indices (nnz,) i32: what is known of each user;
                                         learned (nnz,) bool: which of it the run learned from
               titles.safetensors        text column ``titles`` of I item titles; only where there are titles
               index/                    the manifest of the index and its file
               evaluation/per_user.parquet   user, metric, value of the model; one more file a baseline
               files.json                sha256, size and mtime of all of these
               checkpoints/              only while fitting
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recsys.errors import RecsysError
from recsys.storage.files import TEMPORARY, read_json, sha256, write_json
from recsys.storage.home import SEAL

SCHEMA: Final = 1
UNSEALED: Final = ("checkpoints", "mlflow.json", SEAL)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def model(self) -> Path:
        """Folder of the embeddings."""
        return self.path / "model"

    @property
    def seen(self) -> Path:
        """What is known of each user."""
        return self.path / "seen.safetensors"

    @property
    def titles(self) -> Path:
        """Titles of the items; may not exist."""
        return self.path / "titles.safetensors"

    @property
    def index(self) -> Path:
        """Folder of the index."""
        return self.path / "index"

    @property
    def evaluation(self) -> Path:
        """Folder of per-user values."""
        return self.path / "evaluation"

    @property
    def plugins(self) -> Path:
        """Where parts came from that are not of recsys; may not exist."""
        return self.path / "plugins.json"

    @property
    def checkpoints(self) -> Path:
        """State of unfinished fitting."""
        return self.path / "checkpoints"

    def manifest(self) -> dict[str, Any]:
        """``run.json``.

        Raises:
            RecsysError: If it is missing, broken, or of another schema.
        """
        manifest: dict[str, Any] = read_json(self.path / "run.json")
        if manifest.get("schema") != SCHEMA:
            raise RecsysError(
                f"{self.path}/run.json has schema {manifest.get('schema')!r}, "
                f"this version reads {SCHEMA}; train again"
            )
        return manifest

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write ``run.json``; a run without it does not exist for any command."""
        write_json(self.path / "run.json", {"schema": SCHEMA, "run": self.name, **manifest})

    def seal(self) -> None:
        """Record hash, size and mtime of every file; again after one was changed on purpose."""
        write_json(
            self.path / SEAL,
            {name: _stamp(self.path / name) | {"sha256": sha256(self.path / name)} for name in self._files()},
        )

    def verify(self, *, deep: bool = False, without: str | None = None) -> None:
        """Check that no file changed since the seal.

        A file with the size and mtime it had when it was hashed is taken as unchanged, so that a call costs
        no reading; ``deep`` hashes every file all the same. After a copy the times differ: it is hashed.
        Files below the folder ``without`` are skipped: what is about to be made again need not be whole.

        Raises:
            RecsysError: If a file is missing or its hash differs; both hashes are named.
        """
        sealed: dict[str, dict[str, Any]] = read_json(self.path / SEAL)
        for name, entry in sealed.items():
            if without is not None and name.startswith(f"{without}/"):
                continue
            path = self.path / name
            if not path.exists():
                raise RecsysError(f"run {self.name}: {name} is missing; restore it, or train again")
            if not deep and _stamp(path) == {"size": entry["size"], "mtime_ns": entry["mtime_ns"]}:
                continue
            found = sha256(path)
            if found != entry["sha256"]:
                raise RecsysError(
                    f"run {self.name}: {name} was changed: sha256 {found[:12]}, "
                    f"sealed as {entry['sha256'][:12]}; restore it, or train again"
                )

    def _files(self) -> list[str]:
        files = (path for path in self.path.rglob("*") if path.is_file())
        names = (path.relative_to(self.path).as_posix() for path in files)
        return sorted(name for name in names if name.split("/")[0] not in UNSEALED and TEMPORARY not in name)


def _stamp(path: Path) -> dict[str, int]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}

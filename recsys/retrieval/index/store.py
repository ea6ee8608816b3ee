"""The index folder: a manifest that says of what it is an index, checked before Annoy opens the file.

::

    index/manifest.json     kind, options, distance, metric, sizes, hashes, target, measured recall, the curve
          items.annoy       Annoy's trees; only where the kind is annoy
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

from recsys.errors import InputError, RecsysError
from recsys.retrieval.index.annoy_index import AnnoyIndex
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.index import Index
from recsys.storage.arrays import FloatArray
from recsys.storage.files import read_json, replacing, sha256, write_json

Choice = Literal["auto", "annoy", "exact"]
SCHEMA: Final = 1
MANIFEST: Final = "manifest.json"
TREES: Final = "items.annoy"
BUILD: Final = "build it with `recsys index build`"


def save_index(
    folder: Path, index: Exact | AnnoyIndex, items: FloatArray, promise: Mapping[str, Any] | None = None
) -> None:
    """Write an index folder, whole or not at all.

    Args:
        folder: ``runs/<run>/index``.
        index: Built over ``items``.
        items: (I, D) item vectors.
        promise: What was measured: target, k, recall, latencies, curve (``tuning.Choice.promise``).
    """
    with replacing(folder) as temporary:
        temporary.mkdir()
        own: dict[str, Any] = {"kind": "exact", "options": {}}
        if isinstance(index, AnnoyIndex):
            path = temporary / TREES
            index.save(path)
            stat = path.stat()
            own = {
                "kind": "annoy",
                "options": {"trees": index.trees, "search_k": index.search_k, "seed": index.seed},
                "metric": index.metric,
                "radius": index.radius,
                "file": {"sha256": sha256(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns},
            }
        write_json(temporary / MANIFEST, {
            "schema": SCHEMA,
            **own,
            "distance": index.distance,
            "items": len(items), "dim": items.shape[1], "items_sha256": hash_of(items),
            **(promise or {}),
        })  # fmt: skip


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an index folder.

    Raises:
        InputError: If there is no index.
        RecsysError: If it is broken or of another schema.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise InputError(f"there is no index in {folder}; {BUILD}")
    manifest: dict[str, Any] = read_json(path)
    if manifest.get("schema") != SCHEMA:
        raise RecsysError(
            f"{path} has schema {manifest.get('schema')!r}, this version reads {SCHEMA}; {BUILD}"
        )
    return manifest


def open_index(
    folder: Path, items: FloatArray, distance: str, choice: Choice = "auto", *, sealed: bool = False
) -> Index:
    """The index of a folder over the item vectors of a run.

    Args:
        folder: ``runs/<run>/index``; where there is none, ``auto`` is exact.
        items: (I, D) item vectors of the run.
        distance: The run's distance.
        choice: ``auto`` is the kind that the folder holds.
        sealed: Whether the caller has checked the bytes (``RunFolder.verify``); otherwise the file and the
            vectors are checked here.

    Raises:
        InputError: If there is no such choice, or ``annoy`` is asked for and the folder has no Annoy index.
        RecsysError: If the index is not of these items, or its file is not the one that was written.
    """
    if choice not in get_args(Choice):
        raise InputError(f"index is {choice!r}; it is one of: {', '.join(get_args(Choice))}")
    if choice == "exact" or (choice == "auto" and not (folder / MANIFEST).exists()):
        return Exact(distance).build(items)
    manifest = read_manifest(folder)
    _check(folder / MANIFEST, manifest, items, distance)
    if manifest["kind"] == "exact":
        if choice == "annoy":
            raise InputError(
                f"{folder} holds no Annoy index: exact ranking was chosen; "
                "take --index exact, or build one with `recsys index build --index annoy`"
            )
        return Exact(distance).build(items)
    _check_file(folder / TREES, manifest["file"], sealed=sealed)
    if not sealed and (found := hash_of(items)) != manifest["items_sha256"]:
        raise RecsysError(
            f"{folder} is an index of other vectors: sha256 {manifest['items_sha256'][:12]}, "
            f"the run has {found[:12]}; {BUILD}"
        )
    return AnnoyIndex(distance, **manifest["options"]).load(folder / TREES, items, manifest["radius"])


def hash_of(items: FloatArray) -> str:
    """Hexadecimal SHA-256 of the vectors' bytes."""
    return hashlib.sha256(items.data if items.flags.c_contiguous else items.tobytes()).hexdigest()


def _check(path: Path, manifest: Mapping[str, Any], items: FloatArray, distance: str) -> None:
    """What the manifest says against what the run is."""
    run = {"items": len(items), "dim": int(items.shape[1]), "distance": distance}
    says = {"items": "is of {} items", "dim": "is of {} dimensions", "distance": "is by the distance {}"}
    for name, value in run.items():
        if manifest.get(name) != value:
            raise RecsysError(
                f"the index {path} {says[name].format(manifest.get(name))}, the run has {value}; {BUILD}"
            )
    if manifest.get("kind") not in ("exact", "annoy"):
        raise RecsysError(
            f"the index {path} is of kind {manifest.get('kind')!r}, not exact or annoy; {BUILD}"
        )


def _check_file(path: Path, entry: Mapping[str, Any], *, sealed: bool) -> None:
    """The file against the manifest: its size always, its hash unless nothing has touched it."""
    if not path.exists():
        raise RecsysError(f"{path} is missing; {BUILD}")
    stat = path.stat()
    if stat.st_size != entry["size"]:
        raise RecsysError(f"{path} has {stat.st_size} bytes, its manifest says {entry['size']}; {BUILD}")
    if sealed or stat.st_mtime_ns == entry["mtime_ns"]:
        return
    if (found := sha256(path)) != entry["sha256"]:
        raise RecsysError(
            f"{path} has sha256 {found[:12]}, its manifest says {entry['sha256'][:12]}; {BUILD}"
        )

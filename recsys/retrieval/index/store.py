"""The index folder: a manifest that says what it is an index of, checked before the index is opened.

::

    index/manifest.json     kind, options, distance, sizes, hashes, target, measured recall, the curve
          items.annoy       Annoy's trees; other kinds have a file of their own or none
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from recsys import plugins
from recsys.errors import InputError, RecsysError
from recsys.retrieval.index.index import Filed, Index
from recsys.storage.arrays import FloatArray
from recsys.storage.files import read_json, replacing, sha256, write_json

EXACT: Final = "exact"  # the kind that every run can be ranked by, without a folder
SCHEMA: Final = 1
MANIFEST: Final = "manifest.json"
BUILD: Final = "build it with `recsys index build`"


def choices() -> tuple[str, ...]:
    """What ``--index`` takes: ``auto``, and every kind of index."""
    return "auto", *plugins.names("indexes")


def check_choice(choice: str) -> None:
    """Refuse what is not a kind of index.

    Raises:
        InputError: If it is not one of ``choices``.
    """
    if not (choice == "auto" or _is_kind(choice)):
        raise InputError(f"index is {choice!r}; it is one of: {', '.join(choices())}")


def save_index(
    folder: Path, kind: str, index: Index, items: FloatArray, promise: Mapping[str, Any] | None = None
) -> None:
    """Write an index folder, whole or not at all.

    Args:
        folder: ``runs/<run>/index``.
        kind: Name of the part in the family ``indexes``.
        index: Of that kind, built over ``items``.
        items: (I, D) item vectors.
        promise: What was measured: target, k, recall, latencies, curve (``tuning.Chosen.promise``).
    """
    with replacing(folder) as temporary:
        temporary.mkdir()
        described: dict[str, Any] = {}
        if isinstance(index, Filed):
            path = temporary / index.file
            index.save(path)
            stat = path.stat()
            entry = {"sha256": sha256(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
            described = {**index.describe(), "file": entry}
        write_json(temporary / MANIFEST, {
            "schema": SCHEMA,
            "kind": kind,
            "options": options_of(kind, index),
            **described,
            "distance": index.distance,
            "items": len(items), "dim": items.shape[1], "items_sha256": hash_of(items),
            **(promise or {}),
        })  # fmt: skip


def options_of(kind: str, index: Index) -> dict[str, Any]:
    """The options of an index without its distance, by name."""
    names = [option.name for option in plugins.part("indexes", kind).options]
    return {name: getattr(index, name) for name in names if name != "distance"}


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
    folder: Path, items: FloatArray, distance: str, choice: str = "auto", *, sealed: bool = False
) -> Index:
    """The index of a folder over the item vectors of a run; see ``open_kind``."""
    return open_kind(folder, items, distance, choice, sealed=sealed)[1]


def open_kind(
    folder: Path, items: FloatArray, distance: str, choice: str = "auto", *, sealed: bool = False
) -> tuple[str, Index]:
    """The kind of index in a folder, and the index over the item vectors of a run.

    Args:
        folder: ``runs/<run>/index``; where there is none, ``auto`` is exact.
        items: (I, D) item vectors of the run.
        distance: The run's distance.
        choice: ``auto`` is the kind that the folder holds.
        sealed: Whether the caller has checked the bytes (``RunFolder.verify``); otherwise the file and the
            vectors are checked here.

    Raises:
        InputError: If there is no such choice, or the folder holds another kind.
        RecsysError: If the index is not of these items, its file is not the one that was written, or its
            manifest is broken or of a kind that is not installed.
    """
    check_choice(choice)
    if choice == EXACT or (choice == "auto" and not (folder / MANIFEST).exists()):
        exact: Index = plugins.make("indexes", EXACT, {"distance": distance})
        return EXACT, exact.build(items)
    manifest = read_manifest(folder)
    kind = _kind(folder, manifest, choice)
    _check(folder / MANIFEST, manifest, items, distance)
    index: Index = plugins.make("indexes", kind, {"distance": distance, **manifest["options"]})
    if not isinstance(index, Filed):
        return kind, index.build(items)
    _check_file(folder / index.file, manifest["file"], sealed=sealed)
    if not sealed and (found := hash_of(items)) != manifest["items_sha256"]:
        raise RecsysError(
            f"{folder} is an index of other vectors: sha256 {manifest['items_sha256'][:12]}, "
            f"the run has {found[:12]}; {BUILD}"
        )
    return kind, index.load(folder / index.file, items, manifest)


def hash_of(items: FloatArray) -> str:
    """Hexadecimal SHA-256 of the vectors' bytes."""
    return hashlib.sha256(items.data if items.flags.c_contiguous else items.tobytes()).hexdigest()


def _is_kind(name: str) -> bool:
    """Whether an index can be of that kind; packages are looked through only where it is none of ours."""
    try:
        return plugins.part("indexes", name).name == name
    except InputError:
        return False


def _kind(folder: Path, manifest: Mapping[str, Any], choice: str) -> str:
    """The kind that a manifest names, where it can be opened and is what was chosen."""
    kind = str(manifest.get("kind"))
    if not _is_kind(kind):
        raise RecsysError(
            f"the index {folder / MANIFEST} is of kind {kind!r}, which is none of: "
            f"{', '.join(plugins.names('indexes'))}; install what offers it, or {BUILD}"
        )
    if choice not in ("auto", kind):
        raise InputError(
            f"{folder} holds an index of kind {kind}, not {choice}; "
            f"take --index {kind}, or build one with `recsys index build --index {choice}`"
        )
    return kind


def _check(path: Path, manifest: Mapping[str, Any], items: FloatArray, distance: str) -> None:
    """Compare the manifest with the run."""
    run = {"items": len(items), "dim": int(items.shape[1]), "distance": distance}
    says = {"items": "is of {} items", "dim": "is of {} dimensions", "distance": "is by the distance {}"}
    for name, value in run.items():
        if manifest.get(name) != value:
            raise RecsysError(
                f"the index {path} {says[name].format(manifest.get(name))}, the run has {value}; {BUILD}"
            )


def _check_file(path: Path, entry: Mapping[str, Any], *, sealed: bool) -> None:
    """Compare the file with the manifest: its size always, its hash where it has been touched since."""
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

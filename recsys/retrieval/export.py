"""Lists for every user in files: ranked in blocks, written as they come, visible whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import numpy as np

from recsys.columns import ITEM, RANK, SCORE, USER
from recsys.errors import InputError, RecsysError, StoppedError
from recsys.ids import find_id, id_text
from recsys.ragged import Ragged
from recsys.retrieval.export_places import Place, place
from recsys.retrieval.index.store import EXACT, MANIFEST, read_manifest
from recsys.retrieval.list_tables import ranked, strings, writer
from recsys.retrieval.ranking import USERS_AT_ONCE
from recsys.retrieval.recommender import Service, check_k
from recsys.storage.arrays import IntArray
from recsys.storage.files import read_json
from recsys.storage.home import SEAL
from recsys.storage.run_folder import RunFolder

SCHEMA: Final = 1

FORMATS: Final = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

Purpose = Literal["serving", "evaluation"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is exported, and how it is cut; picklable, so that another process can write a part.

    Args:
        run: The sealed run folder, as it is reached where parts are written.
        out: The file or folder, a path or a URL.
        k: Length of a list.
        format: parquet, csv or jsonl.
        users: Codes of the users in the order to write them.
        users_a_part: How many of them a part has.
        index: A kind of index.
        purpose: serving or evaluation.
        unknown: How many of the users given the run does not know.
        identity: Decides whether a stopped export was the same one.
    """

    run: str
    out: str
    k: int
    format: str
    users: IntArray
    users_a_part: int
    index: str
    purpose: Purpose
    unknown: int
    identity: dict[str, Any]

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return max(1, -(-len(self.users) // self.users_a_part))

    def part(self, number: int) -> IntArray:
        """Codes of the users of a part, counted from 0."""
        return self.users[number * self.users_a_part : (number + 1) * self.users_a_part]

    @property
    def place(self) -> Place:
        """Where it goes."""
        return place(self.out, self.identity)


def plan(
    run: Path,
    out: str | Path,
    *,
    k: int = 50,
    users: Sequence[object] | None = None,
    part_rows: int | None = None,
    index: str = "auto",
    purpose: Purpose = "serving",
) -> Plan:
    """Decide what is exported and how it is cut, and prepare the place; see ``export``.

    An engine that writes parts elsewhere, or in any order, does: ``made = plan(...)``; then
    ``write_part(made, n)`` for each n below ``made.parts``, in any process that reaches ``run`` and ``out``,
    again where one was lost; then ``commit(made, files)`` with what they returned. Until then no reader sees
    anything.

    Raises:
        InputError: As ``export``.
    """
    form = _format(PurePosixPath(str(out)), part_rows)
    check_k(k)
    if index == "auto":
        index = EXACT if purpose == "evaluation" else _faster(RunFolder(run))
    service, _ = _opened(str(run), index, purpose)
    found = None if users is None else _known(service, users)
    codes = np.arange(len(service.model.user_ids)) if found is None else found[0]
    k = min(k, len(service.model.item_ids))
    users_a_part = max(1, len(codes)) if part_rows is None else max(1, part_rows // k)
    identity = {
        **_identity(service, codes, k, form, users_a_part),
        "purpose": purpose, "in_parts": part_rows is not None,
    }  # fmt: skip
    unknown = 0 if found is None else found[1]
    made = Plan(str(run), str(out), k, form, codes, users_a_part, service.kind, purpose, unknown, identity)
    made.place.prepare()
    return made


def write_part(
    plan: Plan,
    number: int,
    advance: Callable[[int], None] = lambda count: None,
    *,
    users_at_once: int = USERS_AT_ONCE,
) -> dict[str, Any]:
    """Rank the users of one part and write it, unless it exists; every process writes the same bytes.

    Args:
        plan: Of the export.
        number: From 0.
        advance: Called with how many more users are done.
        users_at_once: Users that are ranked together, which bounds memory and changes no byte.

    Returns:
        File, bytes and sha256, for ``commit``.
    """
    users, where = plan.part(number), plan.place
    found = where.written(number)
    if found is not None:
        advance(len(users))
        return found
    return where.write(number, lambda path: _write_part(path, plan, users, advance, users_at_once))


def commit(plan: Plan, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make the parts visible, and the manifest after them.

    Args:
        plan: Of the export.
        files: What ``write_part`` returned, of every part, in any order.

    Returns:
        The manifest, which is also written beside ``out`` as ``<out>.manifest.json``.

    Raises:
        RecsysError: If a part is missing.
    """
    by_name = {str(each["file"]): dict(each) for each in files}
    ordered = [by_name[name] for name in sorted(by_name)]
    if len(ordered) != plan.parts:
        raise RecsysError(
            f"{len(ordered)} of {plan.parts} parts of {plan.out} are written; write the others first"
        )
    manifest = _manifest(plan, ordered)
    plan.place.commit(manifest)
    return manifest


def export(
    run: Path,
    out: str | Path,
    *,
    k: int = 50,
    users: Sequence[object] | None = None,
    part_rows: int | None = None,
    index: str = "auto",
    purpose: Purpose = "serving",
    advance: Callable[[int], None] = lambda count: None,
) -> dict[str, Any]:
    """Write the k best items of every user: columns user, item, rank (1 is best), score.

    Work is kept beside ``out`` until it is whole; an export that was stopped continues at its first missing
    part when the same one is asked for again. Lists appear whole, and their manifest after them; a process
    killed between the two leaves what the next export to ``out`` completes.

    Args:
        run: The sealed run folder.
        out: A .parquet, .csv or .jsonl file; with ``part_rows`` a folder (of parquet unless its name says
            otherwise). What is there is replaced. A path, or a URL that fsspec knows, such as
            ``s3://bucket/lists``: see ``RemotePlace``.
        k: Length of a list; shorter only where the catalogue is.
        users: Raw ids, in the order to write them; all users of the run otherwise. Unknown ones are counted.
        part_rows: Most rows of a part.
        index: ``auto`` is what ranks many users faster, as measured when the index was built; exact for
            evaluation.
        purpose: ``serving`` leaves out all that is known of a user; ``evaluation`` only the train
            and validation sets, so that these are the lists that ``recsys evaluate`` scores.
        advance: Called with how many more users are done.

    Returns:
        The manifest, which is also written beside ``out`` as ``<out>.manifest.json``.

    Raises:
        InputError: If k or ``part_rows`` is below 1, the format is unknown, no user is known, ``out`` is a
            folder that no export made, or lists for evaluation are requested from a run that has none.
        RecsysError: If the disk is full; the parts that are whole are kept.
        StoppedError: On Ctrl-C.
    """
    files: list[dict[str, Any]] = []
    _opened.cache_clear()  # a run of the same name may have been made again
    try:
        made = plan(run, out, k=k, users=users, part_rows=part_rows, index=index, purpose=purpose)
        try:
            for number in range(made.parts):
                files.append(write_part(made, number, advance))
        except KeyboardInterrupt:
            raise StoppedError(
                f"stopped; {len(files)} of {made.parts} parts are kept; the same command continues from there"
            ) from None
        return commit(made, files)
    finally:
        _opened.cache_clear()


def served(run: RunFolder) -> dict[str, str]:
    """Files of a run that decide its lists -> SHA-256, as the manifest of an export has them."""
    seal = read_json(run.path / SEAL)
    return {
        name: entry["sha256"] for name, entry in seal.items() if name.startswith(("model/", "seen", "index/"))
    }


@lru_cache(maxsize=1)
def _opened(run: str, index: str, purpose: Purpose) -> tuple[Service, Ragged]:
    """What ranks, and what may not be listed, a row per user code; the same for all parts of an export."""
    service = Service.open(Path(run), index)
    return service, service.seen.rows if purpose == "serving" else _scored_without(service)


def _format(out: PurePosixPath, part_rows: int | None) -> str:
    if part_rows is not None and part_rows < 1:
        raise InputError(f"--part-rows is {part_rows}; a part has at least 1 row")
    if out.suffix.lower() in FORMATS:
        return FORMATS[out.suffix.lower()]
    if part_rows is not None:
        return "parquet"
    raise InputError(f"cannot tell the format of {out.name!r}; end it in .parquet, .csv or .jsonl")


def _faster(run: RunFolder) -> str:
    """What takes less time per user when many are ranked at once."""
    if not (run.index / MANIFEST).exists():
        return EXACT
    return str(read_manifest(run.index).get("batch_kind", EXACT))


def _scored_without(service: Service) -> Ragged:
    """What evaluation leaves out, where the model that is served is the one that was scored."""
    manifest = service.run.manifest()
    if "fold_in" in manifest:
        raise InputError(
            f"run {service.run.name} was scored on users it was not fitted to, by a part of their history, "
            "so no list of its own users was scored; score it again with `recsys evaluate`"
        )
    if manifest.get("refit") == "all":
        raise InputError(
            f"run {service.run.name} serves a model fitted to its test set too (--refit all), so its lists "
            "are not those that were scored; export for evaluation from a run of `recsys train --refit valid`"
        )
    return service.seen.learned_rows()


def _known(service: Service, users: Sequence[object]) -> tuple[IntArray, int]:
    unique = list(dict.fromkeys(text for user in users if (text := id_text(user)) is not None))
    found = {user: find_id(user, service.model.user_ids) for user in unique}
    codes = list(dict.fromkeys(code for code in found.values() if code is not None))
    if not codes:
        raise InputError(
            f"none of the {len(unique)} users is known to run {service.run.name}, such as {unique[0]!r}; "
            "give user ids as they are in the log"
            if unique
            else "there is no user to export; give user ids as they are in the log"
        )
    return np.array(codes, dtype=np.int64), sum(code is None for code in found.values())


def _identity(service: Service, users: IntArray, k: int, form: str, users_a_part: int) -> dict[str, Any]:
    return {
        "schema": SCHEMA, "run": service.run.name, "served": served(service.run),
        "index": service.kind, "k": k,
        "format": form, "users_a_part": users_a_part, "users": hashlib.sha256(users.tobytes()).hexdigest(),
    }  # fmt: skip


def _write_part(
    path: Path, plan: Plan, users: IntArray, advance: Callable[[int], None], at_once: int
) -> None:
    """Rank a block while the one before is written."""
    service, seen = _opened(plan.run, plan.index, plan.purpose)
    names, items = strings(service.model.user_ids), strings(service.model.item_ids)
    with writer(path, plan.format) as write, ThreadPoolExecutor(1) as executor:
        pending: Future[None] | None = None
        for start in range(0, len(users), at_once):
            block = users[start : start + at_once]
            table = ranked(service, seen, block, plan.k, names, items)
            if pending is not None:
                pending.result()
            pending = executor.submit(write, table)
            advance(len(block))
        if pending is not None:
            pending.result()


def _manifest(plan: Plan, files: list[dict[str, Any]]) -> dict[str, Any]:
    service, seen = _opened(plan.run, plan.index, plan.purpose)
    left = len(service.model.item_ids) - np.diff(seen.indptr)[plan.users]
    promise = read_manifest(service.run.index) if (service.run.index / MANIFEST).exists() else {}
    measured = {key: promise[key] for key in promise if not service.index.exact and key.startswith("recall@")}
    return {
        "schema": SCHEMA,
        "run": service.run.name,
        "dataset": service.run.manifest()["dataset"],
        "for": plan.purpose,
        "k": plan.k,
        "index": {
            "kind": service.kind,
            "options": promise["options"] if service.kind == promise.get("kind") else {},
            **measured,
        },
        "users": len(plan.users),
        "unknown_users": plan.unknown,
        "rows": int(np.minimum(left, plan.k).sum()),
        "columns": [USER, ITEM, RANK, SCORE],
        "files": files,
        "served": plan.identity["served"],
    }

"""Lists for every user in files: ranked block by block, written beside it, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from recsys.columns import ITEM, RANK, SCORE, USER
from recsys.errors import InputError, RecsysError, StoppedError
from recsys.ids import find_id, id_text
from recsys.ragged import Ragged
from recsys.retrieval.index.store import MANIFEST, Choice, read_manifest
from recsys.retrieval.ranking import USERS_AT_ONCE
from recsys.retrieval.recommender import Service, check_k
from recsys.storage.arrays import IntArray
from recsys.storage.files import read_json, remove, replacing, sha256, sweep, write_json
from recsys.storage.home import SEAL
from recsys.storage.run_folder import RunFolder
from recsys.storage.string_column import TextColumn

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA: Final = 1

# In the work folder: what is exported, and the manifest of lists that are whole.
JOB: Final = "job.json"
DONE: Final = "manifest.json"

FORMATS: Final = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

Purpose = Literal["serving", "evaluation"]
Write = Callable[["pa.Table"], None]


@dataclass(frozen=True, slots=True)
class _Job:
    """What is exported, and how it is cut: ``identity`` tells whether a stopped export was the same one."""

    service: Service
    seen: Ragged
    users: IntArray
    k: int
    format: str
    users_a_part: int
    identity: dict[str, Any]

    @property
    def parts(self) -> int:
        return max(1, -(-len(self.users) // self.users_a_part))

    def part(self, number: int) -> IntArray:
        return self.users[number * self.users_a_part : (number + 1) * self.users_a_part]


def export(
    run: Path,
    out: Path,
    *,
    k: int = 50,
    users: Sequence[object] | None = None,
    part_rows: int | None = None,
    index: Choice = "auto",
    purpose: Purpose = "serving",
    advance: Callable[[int], None] = lambda count: None,
) -> dict[str, Any]:
    """Write the k best items of every user: columns user, item, rank (1 is best), score.

    Work is kept in a hidden folder beside ``out`` until it is whole; an export that was stopped goes on at
    its first missing part when the same one is asked for again. Lists appear whole, and their manifest after
    them; a process killed between the two leaves what the next export to ``out`` completes.

    Args:
        run: The sealed run folder.
        out: A .parquet, .csv or .jsonl file; with ``part_rows`` a folder (of parquet unless its name says
            otherwise). What is there is replaced.
        k: Length of a list; shorter only where the catalogue is.
        users: Raw ids, in the order to write them; all users of the run otherwise. Unknown ones are counted.
        part_rows: Most rows of a part.
        index: ``auto`` is what ranks many users faster, as measured when the index was built; exact for
            evaluation.
        purpose: ``serving`` leaves out all that is known of a user; ``evaluation`` only train and valid, so
            that these are the lists that ``recsys evaluate`` scores.
        advance: Told how many users are done.

    Returns:
        The manifest, which is also written beside ``out`` as ``<out>.manifest.json``.

    Raises:
        InputError: If k or ``part_rows`` is below 1, the format is unknown, no user is known, ``out`` is a
            folder that no export made, or lists for evaluation are asked of a run that has not got them.
        RecsysError: If the disk is full; the parts that are whole are kept.
        StoppedError: On Ctrl-C.
    """
    form = _format(out, part_rows)
    check_k(k)
    work = out.parent / f".{out.name}.export"
    _complete(work, out)
    if out.is_dir() and not _manifest_path(out).exists():
        raise InputError(f"{out} is a folder that no export made; give another name, or remove it first")
    if index == "auto":
        index = "exact" if purpose == "evaluation" else _faster(RunFolder(run))
    service = Service.open(run, index)
    seen = service.seen.rows if purpose == "serving" else _scored_without(service)
    found = None if users is None else _known(service, users)
    codes = np.arange(len(service.model.user_ids)) if found is None else found[0]
    k = min(k, len(service.model.item_ids))
    users_a_part = max(1, len(codes)) if part_rows is None else max(1, part_rows // k)
    in_parts = part_rows is not None
    identity = {
        **_identity(service, codes, k, form, users_a_part), "purpose": purpose, "in_parts": in_parts
    }  # fmt: skip
    job = _Job(service, seen, codes, k, form, users_a_part, identity)
    _prepare(work, job)
    try:
        for number in range(job.parts):
            path = work / "parts" / f"part-{number:05d}.{form}"
            if path.exists():
                advance(len(job.part(number)))
            else:
                _write_part(path, job, job.part(number), advance)
    except KeyboardInterrupt:
        whole = len(list((work / "parts").glob(f"part-*.{form}")))
        raise StoppedError(
            f"stopped; {whole} of {job.parts} parts are kept, and the same command goes on from there"
        ) from None
    manifest = _manifest(job, out, work / "parts", 0 if found is None else found[1], in_parts=in_parts)
    write_json(work / DONE, manifest)
    _complete(work, out)
    return manifest


def _format(out: Path, part_rows: int | None) -> str:
    if part_rows is not None and part_rows < 1:
        raise InputError(f"--part-rows is {part_rows}; a part has at least 1 row")
    if out.suffix.lower() in FORMATS:
        return FORMATS[out.suffix.lower()]
    if part_rows is not None:
        return "parquet"
    raise InputError(f"cannot tell the format of {out.name!r}; end it in .parquet, .csv or .jsonl")


def _faster(run: RunFolder) -> Choice:
    """What takes less time a user when many are ranked at once."""
    if not (run.index / MANIFEST).exists():
        return "exact"
    found: Choice = read_manifest(run.index).get("batch_kind", "exact")
    return found


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
            f"run {service.run.name} serves a model fitted to its test part too (--refit all), so its lists "
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
            "give user ids as they stand in the log"
            if unique
            else "there is no user to export; give user ids as they stand in the log"
        )
    return np.array(codes, dtype=np.int64), sum(code is None for code in found.values())


def _identity(service: Service, users: IntArray, k: int, form: str, users_a_part: int) -> dict[str, Any]:
    seal = read_json(service.run.path / SEAL)
    served = {
        name: entry["sha256"] for name, entry in seal.items() if name.startswith(("model/", "seen", "index/"))
    }
    return {
        "schema": SCHEMA, "run": service.run.name, "served": served, "index": service.kind, "k": k,
        "format": form, "users_a_part": users_a_part, "users": hashlib.sha256(users.tobytes()).hexdigest(),
    }  # fmt: skip


def _prepare(work: Path, job: _Job) -> None:
    """Keep the parts of the same export; start anew where another one was stopped."""
    path = work / JOB
    if work.exists() and (not path.exists() or read_json(path) != job.identity):
        remove(work)
    try:
        (work / "parts").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecsysError(f"cannot write in {work.parent}: {error.strerror}; choose another place") from error
    sweep(work / "parts")
    write_json(path, job.identity)


def _write_part(path: Path, job: _Job, users: IntArray, advance: Callable[[int], None]) -> None:
    """Rank a block while the one before is written."""
    names, items = _strings(job.service.model.user_ids), _strings(job.service.model.item_ids)
    with (
        replacing(path) as temporary,
        _writer(temporary, job.format) as write,
        ThreadPoolExecutor(1) as executor,
    ):
        pending: Future[None] | None = None
        for start in range(0, len(users), USERS_AT_ONCE):
            block = users[start : start + USERS_AT_ONCE]
            table = _ranked(job, block, names, items)
            if pending is not None:
                pending.result()
            pending = executor.submit(write, table)
            advance(len(block))
        if pending is not None:
            pending.result()


def _ranked(job: _Job, users: IntArray, names: pa.Array, items: pa.Array) -> pa.Table:
    import pyarrow as pa

    service = job.service
    codes, scores = service.index.query(service.model.users[users], job.k, job.seen.take(users))
    listed = codes >= 0
    rank = np.broadcast_to(np.arange(1, job.k + 1, dtype=np.int32), codes.shape)
    who = np.broadcast_to(users[:, None], codes.shape)
    return pa.table({
        USER: names.take(_numbers(who[listed])),
        ITEM: items.take(_numbers(codes[listed])),
        RANK: _numbers(rank[listed]),
        SCORE: _numbers(scores[listed]),
    })  # fmt: skip


def _numbers(values: npt.NDArray[Any]) -> pa.Array:
    """The same numbers as an Arrow array; nothing is copied, nor pandas imported, as ``pa.array`` does."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def _strings(column: TextColumn) -> pa.Array:
    """The same bytes as an Arrow array; nothing is copied."""
    import pyarrow as pa

    return pa.LargeStringArray.from_buffers(
        len(column), pa.py_buffer(column.offsets), pa.py_buffer(column.data)
    )


@contextmanager
def _writer(path: Path, form: str) -> Iterator[Write]:
    """Yield what appends a table to the file."""
    if form == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema(
            [(USER, pa.large_string()), (ITEM, pa.large_string()), (RANK, pa.int32()), (SCORE, pa.float32())]
        )
        with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer.write_table
        return
    import polars as pl

    with path.open("wb") as file:

        def append(table: pa.Table) -> None:
            frame, buffer = pl.DataFrame(pl.from_arrow(table)), io.BytesIO()
            if form == "csv":
                frame.write_csv(buffer, include_header=file.tell() == 0)
            else:
                frame.write_ndjson(buffer)
            file.write(buffer.getbuffer())

        yield append


def _manifest(job: _Job, out: Path, parts: Path, unknown: int, *, in_parts: bool) -> dict[str, Any]:
    service = job.service
    left = len(service.model.item_ids) - np.diff(job.seen.indptr)[job.users]
    promise = read_manifest(service.run.index) if (service.run.index / MANIFEST).exists() else {}
    annoy = service.kind == "annoy"
    measured = {key: promise[key] for key in promise if annoy and key.startswith("recall@")}
    files = [
        {"file": path.name if in_parts else out.name, "bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(parts.iterdir())
    ]
    return {
        "schema": SCHEMA,
        "run": service.run.name,
        "dataset": service.run.manifest()["dataset"],
        "for": job.identity["purpose"],
        "k": job.k,
        "index": {
            "kind": service.kind,
            "options": promise["options"] if annoy else {},
            **measured,
        },
        "users": len(job.users),
        "unknown_users": unknown,
        "rows": int(np.minimum(left, job.k).sum()),
        "columns": [USER, ITEM, RANK, SCORE],
        "files": files,
        "served": job.identity["served"],
    }


def _complete(work: Path, out: Path) -> None:
    """Put finished lists in the place of what was there, and their manifest beside them.

    The manifest in ``work`` says that the lists are whole, so that whoever finds it there goes on where a
    process was killed. The old manifest goes first and the new one comes last: one that lies beside lists is
    always theirs.
    """
    if not (work / DONE).exists():
        return
    in_parts = read_json(work / JOB)["in_parts"]
    lists = work / "parts" if in_parts else next((work / "parts").iterdir(), None)
    try:
        if lists is not None and lists.exists():
            _manifest_path(out).unlink(missing_ok=True)
            if out.is_dir() or (in_parts and out.exists()):
                remove(work / "old")
                os.rename(out, work / "old")
            os.replace(lists, out)
        os.replace(work / DONE, _manifest_path(out))
    except OSError as error:
        raise RecsysError(f"cannot write {out}: {error.strerror}; choose another place") from error
    remove(work)


def _manifest_path(out: Path) -> Path:
    return out.with_name(f"{out.name}.manifest.json")

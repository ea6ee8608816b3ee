"""From raw logs to a dataset: read, merge repeats, split, write."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recsys.columns import ITEM, USER
from recsys.data.dataset import MANIFEST, PARTS, SCHEMA, Dataset
from recsys.data.etl.moments import span
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parts import merged, parted, summary, write
from recsys.data.etl.reading import Progress, Reading, read, unheard, unseen
from recsys.data.etl.side import side
from recsys.data.etl.sources import Found, Source, find
from recsys.data.splits.by_time import ByTime
from recsys.data.splits.by_user import ByUser
from recsys.data.splits.frames import Log
from recsys.data.splits.given import Given
from recsys.data.splits.leave_last import LeaveLast
from recsys.data.splits.parse import parse
from recsys.data.splits.random_holdout import RandomHoldout
from recsys.data.splits.splitter import Splitter
from recsys.errors import InputError, RecsysError
from recsys.files import remove, replacing, sha256, sweep, write_json
from recsys.home import Home, checked_name

if TYPE_CHECKING:
    import pandas as pd


def etl(
    options: EtlOptions,
    home: Home,
    progress: Progress = unseen,
    say: Callable[[str], None] = unheard,
) -> Dataset:
    """Read logs into a dataset, and make it the current one.

    Args:
        options: What to read and what it means.
        home: Where the dataset goes.
        progress: Shows how far it is.
        say: Tells what was guessed, line by line.

    Raises:
        InputError: If the request or the log is wrong; an earlier dataset of that name stays as it was.
        RecsysError: If it cannot be written.
    """
    if not options.logs:
        raise InputError("there is no log; give a file, a folder or a quoted glob")
    return _build(options, home, find(options.logs, options.format), progress, say)


def etl_frame(
    frame: pl.DataFrame | pl.LazyFrame | pd.DataFrame,
    options: EtlOptions,
    home: Home,
    progress: Progress = unseen,
    say: Callable[[str], None] = unheard,
) -> Dataset:
    """The same for a polars or pandas frame in place of files; ``options.logs`` is not looked at."""
    table = frame if isinstance(frame, pl.DataFrame | pl.LazyFrame) else pl.from_pandas(frame)
    return _build(options, home, Found([], "frame"), progress, say, table.lazy())


def unchanged(dataset: Dataset, options: EtlOptions) -> bool:
    """Whether the same options on the files as they are now would give this dataset again.

    Raises:
        InputError: If a file that is asked for is not there.
    """
    manifest = dataset.manifest
    if manifest["options"] != json.loads(options.model_dump_json()) or not options.logs:
        return False
    if manifest["versions"]["recsys"] != version("recsys"):
        return False
    sides = [file for side_ in ("items", "users") for file in manifest.get(side_, {}).get("files", [])]
    paths = [*manifest["sources"], *sides]
    listed = {str(source.path) for log in options.logs for source in find([log], options.format).sources}
    known = {file["path"] for file in manifest["sources"]} | set(manifest["left_out"])
    if not listed <= known:
        return False
    return all(
        Path(file["path"]).is_file() and sha256(Path(file["path"])) == file["sha256"] for file in paths
    )


def _build(
    options: EtlOptions,
    home: Home,
    found: Found,
    progress: Progress,
    say: Callable[[str], None],
    frame: pl.LazyFrame | None = None,
) -> Dataset:
    name = checked_name(options.name or found.name)
    asked = options
    splitter = parse(options.split) if options.split else None
    if found.test and not (options.split or options.test):
        options = options.model_copy(update={"test": str(found.test)})
        for note in found.notes:
            say(note)
    elif found.test and options.split:
        found.sources.extend(find([str(found.test)], options.format).sources)
    tests = find([options.test], options.format).sources if options.test else []
    sweep(home.datasets)
    with replacing(home.datasets / name) as folder, _failures(home):
        scratch = folder / "scratch"
        scratch.mkdir(parents=True)
        if frame is not None:
            path = scratch / "frame.parquet"
            frame.sink_parquet(path, engine="streaming", compression="lz4")
            found.sources.append(Source(path, "parquet", chosen=True))
        reading = read(found.sources, tests, options, scratch, folder / "rejects.parquet", progress, say)
        manifest = {
            "schema": SCHEMA,
            "name": name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **_fill(folder, reading, options, splitter, found, progress, say),
            "options": asked.model_dump(),
            "versions": {each: version(each) for each in ("recsys", "polars")}
            | {"python": platform.python_version()},
        }
        remove(scratch)
        write_json(folder / MANIFEST, manifest)
    home.set_current("dataset", name)
    return Dataset.open(home, name)


@contextmanager
def _failures(home: Home) -> Iterator[None]:
    """What polars could not do is one line, not a traceback."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise RecsysError(
            f"the log could not be read or written: {first}; check the free space of {home.path}, "
            "and the files, then try again"
        ) from error


def _fill(
    folder: Path,
    reading: Reading,
    options: EtlOptions,
    splitter: Splitter | None,
    found: Found,
    progress: Progress,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Merge, split and write; returns what the manifest says about it."""
    scratch = folder / "scratch"
    merging = merged(reading, options, scratch / "merged", progress)
    log = merging.log
    splitter = splitter or _usual(log, options)
    parts = parted(log, splitter, options, scratch, progress)
    sizes = summary(log, parts)
    _refuse_empty(sizes, splitter, options)
    factor = 1.0
    if options.half_life:
        factor = 2.0 ** ((merging.newest - sizes["train"]["newest"]) / span(options.half_life))
    for part, store in parts.stores.items():
        write(store, log, factor, folder / f"{part}.parquet")
    counts: dict[str, Any] = {
        "read": reading.rows,
        "rejected": reading.rejected,
        "dropped": reading.dropped,
        "merged": merging.repeats,
        "in_train": merging.in_train,
        "outside_core": parts.outside_core,
        **{part: sizes[part]["rows"] for part in PARTS},
    }
    _check_sum(counts)
    hashes = [parts.identities[part] for part in PARTS]
    return {
        "hash": hashes[0].merged(hashes[1]).merged(hashes[2]).hash(),
        "split_hash": hashlib.sha256(" ".join(each.hash() for each in hashes).encode()).hexdigest(),
        "sources": _sources(reading),
        "left_out": reading.left_out,
        "columns": {
            role: {"column": column, "guessed": role in reading.roles[0].guessed}
            for role, column in reading.roles[0].by_part().items()
            if column
        },
        "time": reading.meaning.clock.described if reading.meaning.clock else None,
        "notes": [*found.notes, *reading.notes],
        "counts": counts,
        "split": {"name": _named(splitter), "valid": options.valid, "seed": options.seed},
        "sizes": sizes,
        **_sides(folder, log, options, found, say),
    }


def _usual(log: Log, options: EtlOptions) -> Splitter:
    """The split where none was asked for."""
    if options.test:
        return Given(options.test)
    return ByTime(0.2) if log.timed else RandomHoldout(0.2)


def _named(splitter: Splitter) -> str:
    match splitter:
        case ByTime(share):
            return f"time:{share:g}"
        case RandomHoldout(share):
            return f"random:{share:g}"
        case ByUser(share):
            return f"users:{share:g}"
        case LeaveLast(count):
            return f"last:{count}"
    return "given"


def _refuse_empty(sizes: dict[str, dict[str, Any]], splitter: Splitter, options: EtlOptions) -> None:
    for part in ("train", "test"):
        if sizes[part]["rows"] == 0:
            why = "all rows are of one moment" if isinstance(splitter, ByTime) else "there are too few rows"
            thresholds = options.min_user > 1 or options.min_item > 1
            why = "--min-user and --min-item leave nothing" if part == "train" and thresholds else why
            raise InputError(
                f"split {_named(splitter)} leaves no row for {part} ({why}); give another --split, as "
                "random:0.2, or lower --min-user and --min-item"
            )


def _check_sum(counts: dict[str, Any]) -> None:
    out = sum(sum(each.values()) if isinstance(each, dict) else each for each in counts.values())
    if out != 2 * counts["read"]:
        raise RecsysError(f"the counts do not add up ({counts}); this is a fault of recsys: please report it")


def _sources(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "path": "frame" if each.source.path.parent.name == "scratch" else str(each.source.path),
            "part": "log" if number < reading.test_from else "test",
            "sha256": each.plain.sha256,
            "size": each.plain.size,
            "encoding": each.plain.encoding,
        }
        for number, each in enumerate(reading.tables)
    ]


def _sides(
    folder: Path, log: Log, options: EtlOptions, found: Found, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write the tables of items and users, where there are any."""
    described: dict[str, Any] = {}
    for part, plural, ids, asked in (
        (ITEM, "items", log.items, options.items or found.items),
        (USER, "users", log.users, options.users or found.users),
    ):
        if asked is None:
            continue
        read_side = side(str(asked), part, ids, options, folder / "scratch" / plural)
        read_side.frame.write_parquet(folder / f"{plural}.parquet")
        described[plural] = {
            "files": [
                {"path": str(each.source.path), "sha256": each.plain.sha256} for each in read_side.files
            ],
            "key": read_side.key,
            "title": read_side.title,
            "rows": read_side.rows,
            "kept": read_side.frame.height,
            "known": read_side.known,
        }
        titled = f", title = {read_side.title}" if read_side.title else ""
        say(f"{plural}: {asked}, key = {read_side.key}{titled}: {read_side.known:,} of {len(ids):,} known")
    return described

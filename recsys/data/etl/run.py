"""From raw logs to a dataset: sources, decode, parse, filter, merge, split, write; each is entered once."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from recsys.columns import ITEM, USER
from recsys.data.coded_log import CodedLog
from recsys.data.dataset import KNOWN, MANIFEST, PARTS, SCHEMA, Dataset
from recsys.data.etl.filter import Filtered, filtered
from recsys.data.etl.meaning import meaning_of
from recsys.data.etl.merge import Merged, merged, words_note
from recsys.data.etl.metadata import metadata
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parse.parsed_log import ParsedLog, parsed_log
from recsys.data.etl.partition import Partition, parted
from recsys.data.etl.progress import Progress, no_notes, no_progress
from recsys.data.etl.sources import STDIN, LogFiles, Source, find, spooled
from recsys.data.etl.timestamps import span
from recsys.data.etl.write import summary, write
from recsys.data.splits.base import Splitter
from recsys.data.splits.by_time import ByTime
from recsys.data.splits.given import Given
from recsys.data.splits.parse import given_by, written
from recsys.data.splits.parse import parse as parse_split
from recsys.data.splits.random_holdout import RandomHoldout
from recsys.errors import InputError, RecsysError
from recsys.storage.files import read_json, remove, replacing, sha256, sweep, write_json
from recsys.storage.home import Home, checked_name
from recsys.version import __version__

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], None]
_SCARCE: Final = 1 << 30  # bytes; with less free space than this an error of writing may be a full disk


def etl(options: EtlOptions, home: Home, progress: Progress = no_progress, say: Say = no_notes) -> Dataset:
    """Read logs into a dataset, and make it the current one.

    Args:
        options: What to read and what it means.
        home: Where the dataset goes.
        progress: Shows how far it is.
        say: Takes what was guessed, line by line.

    Raises:
        InputError: If the request or the log is wrong; an earlier dataset of that name stays as it was.
        RecsysError: If it cannot be written.
    """
    if not options.logs:
        raise InputError("there is no log; give a file, a folder, a quoted glob, or - for standard input")
    return _build(options, home, find(options.logs, options.format), progress, say)


def etl_frame(
    frame: pl.DataFrame | pl.LazyFrame | pd.DataFrame,
    options: EtlOptions,
    home: Home,
    progress: Progress = no_progress,
    say: Say = no_notes,
) -> Dataset:
    """The same for a polars or pandas frame in place of files; ``options.logs`` is not looked at."""
    try:
        table = frame if isinstance(frame, pl.DataFrame | pl.LazyFrame) else pl.from_pandas(frame)
    except Exception as error:  # pyarrow and polars have many for columns of mixed types
        raise InputError(
            f"the frame cannot be read ({_first_line(error)}); give each column one type, ids as text"
        ) from error
    return _build(options, home, LogFiles([], "frame"), progress, say, table.lazy())


def unchanged(dataset: Dataset, options: EtlOptions) -> bool:
    """Whether the same options on the files as they are now would give this dataset again.

    Raises:
        InputError: If a file that is asked for is not there.
    """
    manifest = dataset.manifest
    if manifest["options"] != json.loads(options.model_dump_json()) or not options.logs:
        return False
    if manifest["versions"]["recsys"] != __version__ or STDIN in options.logs:
        return False
    if options.split and manifest["split"].get("given_by", "") != given_by(options.split):
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
    found: LogFiles,
    progress: Progress,
    say: Say,
    frame: pl.LazyFrame | None = None,
) -> Dataset:
    name = checked_name(options.name or found.name)
    asked = options
    splitter = parse_split(options.split) if options.split else None
    offered = given_by(options.split) if options.split else ""
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        say(text)

    for each in found.notes:
        note(each)
    if found.test and not (options.split or options.test):
        options = options.model_copy(update={"test": str(found.test)})
    elif found.test and options.split:
        found.sources.extend(find([str(found.test)], options.format).sources)
    tests = find([options.test], options.format).sources if options.test else []
    sweep(home.datasets)
    with replacing(home.datasets / name) as folder, _failures(home):
        scratch = folder / "scratch"
        for place in (scratch, scratch / "copies"):
            place.mkdir(parents=True)
        sources = [spooled(each, scratch) for each in found.sources]
        if frame is not None:
            path = scratch / "frame.parquet"
            frame.sink_parquet(path, engine="streaming", compression="lz4")
            sources.append(Source(path, "parquet", chosen=True, shown="frame"))
        _note_replaced(home, name, sources, note)

        log = parsed_log(sources, tests, options, scratch / "copies", progress, note)
        meaning = meaning_of(log.tables, log.roles, options, note)
        rows = filtered(
            log, meaning, options, scratch, folder / "rejects.parquet", folder / f"{KNOWN}.parquet", progress
        )
        timed = meaning.clock is not None
        merging = merged(rows, log.roles[0], options, scratch / "merged", progress, timed=timed)
        _note_ids(merging, note)
        splitter = splitter or _usual(merging.log, options)
        parts = parted(merging.log, splitter, options, scratch, progress)
        sizes = summary(merging.log, parts)
        _refuse_empty(sizes, splitter, options)
        factor = _factor(merging, sizes, options)
        for part, store in parts.stores.items():
            write(store, merging.log, factor, folder / f"{part}.parquet")
        sides = _sides(folder, merging, options, found, note)

        write_json(
            folder / MANIFEST,
            {
                "schema": SCHEMA,
                "name": name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                **_hashes(parts),
                "sources": _sources(log),
                "left_out": [*found.left_out, *log.left_out],
                "columns": {
                    role: {"column": column, "guessed": role in log.roles[0].guessed}
                    for role, column in log.roles[0].by_part().items()
                    if column
                },
                "time": meaning.clock.described if meaning.clock else None,
                "notes": notes,
                "counts": _counts(rows, merging, parts, sizes),
                "split": {
                    "name": written(splitter),
                    "valid": options.valid,
                    "seed": options.seed,
                    **({"given_by": offered} if offered else {}),
                },
                "sizes": sizes,
                **sides,
                "options": asked.model_dump(),
                "versions": {"recsys": __version__, "polars": version("polars")}
                | {"python": platform.python_version()},
            },
        )
        remove(scratch)
    home.set_current("dataset", name)
    return Dataset.open(home, name)


@contextmanager
def _failures(home: Home) -> Iterator[None]:
    """What polars could not do is one line: of a full disk, of the system, or of a fault of ours."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        cause = _first_line(error)
        if "No space left" in cause or shutil.disk_usage(home.datasets).free < _SCARCE:
            raise RecsysError(
                f"the dataset could not be written ({cause}); check the free space of {home.path}"
            ) from error
        if cause.startswith("parquet:"):
            raise InputError(
                f"a parquet file of the log is broken ({cause}); write or fetch it again"
            ) from error
        if "os error" in cause:
            raise RecsysError(f"the system could not read the log or write the dataset: {cause}") from error
        raise RecsysError(
            f"the log could not be read, by a fault of recsys; please report it with this line: {cause}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _note_replaced(home: Home, name: str, sources: list[Source], note: Say) -> None:
    """Say that a dataset of the same name was made from other files."""
    manifest = home.datasets / name / MANIFEST
    if not manifest.exists():
        return
    try:
        before = [file["path"] for file in read_json(manifest)["sources"] if file["part"] == "log"]
    except (RecsysError, KeyError, TypeError):
        return
    now = [str(each) for each in sources]
    if [Path(each).absolute() for each in before] != [Path(each).absolute() for each in now]:
        shown = ", ".join(before[:3]) + (f" and {len(before) - 3} more" if len(before) > 3 else "")
        note(f"dataset {name}, made from {shown}, is replaced; give --name to keep both")


def _note_ids(merging: Merged, note: Say) -> None:
    if merging.whole:
        note(f"ids of {' and '.join(merging.whole)} written as 17850.0 are read as 17850")
    for (part, word), count in merging.words.items():
        note(words_note(part, word, count))


def _usual(log: CodedLog, options: EtlOptions) -> Splitter:
    """The split where none was asked for."""
    if options.test:
        return Given(options.test)
    return ByTime(0.2) if log.timed else RandomHoldout(0.2)


def _refuse_empty(sizes: dict[str, dict[str, Any]], splitter: Splitter, options: EtlOptions) -> None:
    for part in ("train", "test"):
        if sizes[part]["rows"] == 0:
            why = "all rows are of one moment" if isinstance(splitter, ByTime) else "there are too few rows"
            thresholds = options.min_user > 1 or options.min_item > 1
            why = "--min-user and --min-item leave nothing" if part == "train" and thresholds else why
            raise InputError(
                f"split {written(splitter)} leaves no row for {part} ({why}); give another --split, as "
                "random:0.2, or lower --min-user and --min-item"
            )


def _factor(merging: Merged, sizes: dict[str, dict[str, Any]], options: EtlOptions) -> float:
    """What brings the weight of the newest train row to what it was before all weights decayed."""
    if not options.half_life:
        return 1.0
    return float(2.0 ** ((merging.newest - sizes["train"]["newest"]) / span(options.half_life)))


def _counts(
    rows: Filtered, merging: Merged, parts: Partition, sizes: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """What became of each row read."""
    counts: dict[str, Any] = {
        "read": rows.rows,
        "rejected": rows.rejected,
        "dropped": rows.dropped,
        "merged": merging.repeats,
        "in_train": merging.in_train,
        "outside_core": parts.outside_core,
        **{part: sizes[part]["rows"] for part in PARTS},
    }
    out = sum(sum(each.values()) if isinstance(each, dict) else each for each in counts.values())
    if out != 2 * counts["read"]:
        raise RecsysError(f"the counts do not add up ({counts}); this is a fault of recsys: please report it")
    return counts


def _hashes(parts: Partition) -> dict[str, str]:
    hashes = [parts.identities[part] for part in PARTS]
    return {
        "hash": hashes[0].merged(hashes[1]).merged(hashes[2]).hash(),
        "split_hash": hashlib.sha256(" ".join(each.hash() for each in hashes).encode()).hexdigest(),
    }


def _sources(log: ParsedLog) -> list[dict[str, Any]]:
    return [
        {
            "path": str(each.source),
            "part": "log" if number < log.test_from else "test",
            "sha256": each.plain.sha256,
            "size": each.plain.size,
            "encoding": each.plain.encoding,
        }
        for number, each in enumerate(log.tables)
    ]


def _sides(folder: Path, merging: Merged, options: EtlOptions, found: LogFiles, note: Say) -> dict[str, Any]:
    """Write the tables of items and users, where there are any."""
    described: dict[str, Any] = {}
    log = merging.log
    for part, plural, ids, asked in (
        (ITEM, "items", log.items, options.items or found.items),
        (USER, "users", log.users, options.users or found.users),
    ):
        if asked is None:
            continue
        side = metadata(
            str(asked), part, ids, options, folder / "scratch" / plural, whole=part in merging.whole
        )
        side.frame.write_parquet(folder / f"{plural}.parquet")
        described[plural] = {
            "files": [{"path": str(each.source), "sha256": each.plain.sha256} for each in side.files],
            "key": side.key,
            "title": side.title,
            "rows": side.rows,
            "kept": side.frame.height,
            "known": side.known,
        }
        titled = f", title = {side.title}" if side.title else ""
        note(f"{plural}: {asked}, key = {side.key}{titled}: {side.known:,} of {len(ids):,} known")
        if side.fault:
            note(f"{plural}: {side.fault}")
    return described

"""From raw logs to a dataset: sources, decode, parse, filter, merge, split, write; each is entered once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from recsys.data.coded_log import CodedLog
from recsys.data.dataset import KNOWN, MANIFEST, Dataset
from recsys.data.etl.filter import filtered
from recsys.data.etl.manifest import manifest
from recsys.data.etl.meaning import meaning_of
from recsys.data.etl.merge import Merged, merged, words_note
from recsys.data.etl.metadata import write_metadata
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parse.parsed_log import parsed_log
from recsys.data.etl.partition import parted
from recsys.data.etl.progress import Progress, no_notes, no_progress
from recsys.data.etl.sources import STDIN, LogFiles, Source, find, spooled
from recsys.data.etl.spill import PIECES, Pieces
from recsys.data.etl.write import newest_weight, summary, write
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


def etl(
    options: EtlOptions,
    home: Home,
    progress: Progress = no_progress,
    say: Say = no_notes,
    *,
    pieces: Pieces = PIECES,
) -> Dataset:
    """Read logs into a dataset, and make it the current one.

    Args:
        options: What to read and what it means.
        home: Where the dataset goes.
        progress: Shows how far it is.
        say: Takes what was guessed, line by line.
        pieces: How much of the log is in memory at once.

    Raises:
        InputError: If the request or the log is wrong; an earlier dataset of that name stays as it was.
        RecsysError: If it cannot be written.
    """
    if not options.logs:
        raise InputError("there is no log; give a file, a folder, a quoted glob, or - for standard input")
    return _build(options, home, find(options.logs, options.format), progress, say, pieces=pieces)


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
    made = dataset.manifest
    if made["options"] != json.loads(options.model_dump_json()) or not options.logs:
        return False
    if made["versions"]["recsys"] != __version__ or STDIN in options.logs:
        return False
    if options.split and made["split"].get("given_by", "") != given_by(options.split):
        return False
    sides = [file for side_ in ("items", "users") for file in made.get(side_, {}).get("files", [])]
    paths = [*made["sources"], *sides]
    listed = {str(source.path) for log in options.logs for source in find([log], options.format).sources}
    known = {file["path"] for file in made["sources"]} | set(made["left_out"])
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
    pieces: Pieces = PIECES,
) -> Dataset:
    name = checked_name(options.name or found.name)
    asked = options
    splitter = parse_split(options.split) if options.split else None
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
        rejects, known = folder / "rejects.parquet", folder / f"{KNOWN}.parquet"
        rows = filtered(log, meaning, options, scratch, rejects, known, progress, pieces)
        timed = meaning.time_format is not None
        merging = merged(rows, log.roles[0], options, scratch / "merged", progress, timed=timed)
        _note_ids(merging, note)
        splitter = splitter or _usual(merging.log, options)
        parts = parted(merging.log, splitter, options, scratch, progress)
        sizes = summary(merging.log, parts)
        _refuse_empty(sizes, splitter, options)
        factor = newest_weight(merging.newest, sizes, options)
        for part, store in parts.stores.items():
            write(store, merging.log, factor, folder / f"{part}.parquet")
        sides = write_metadata(folder, merging, options, found, note)
        about = manifest(name, asked, found, log, meaning, rows, merging, parts, sizes, splitter, notes)
        write_json(folder / MANIFEST, about | sides)
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
    path = home.datasets / name / MANIFEST
    if not path.exists():
        return
    try:
        before = [file["path"] for file in read_json(path)["sources"] if file["part"] == "log"]
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

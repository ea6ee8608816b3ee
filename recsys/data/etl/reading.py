"""From files to cleaned rows on disk, every row of the files accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from recsys.columns import ITEM, TIME, USER
from recsys.data.etl.clean import Meaning
from recsys.data.etl.keep import conditions
from recsys.data.etl.marks import FAULT, FILE, LINE, OUTCOME, RAW
from recsys.data.etl.moments import Clock, clock, moment
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.roles import Roles, names_columns, roles
from recsys.data.etl.sources import Source
from recsys.data.etl.spill import BATCH, Spill
from recsys.data.etl.table import Table, table
from recsys.data.splits.frames import HELD
from recsys.errors import InputError

_SAMPLE: Final = 1_000
_EXAMPLES: Final = 3
_LONGEST: Final = 1_000


class Progress(Protocol):
    """Shows how far long work is."""

    def __call__(self, label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """A context that yields ``advance(n)``."""
        ...


def unseen(label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
    """Progress that nobody watches."""
    return nullcontext(lambda _: None)


def unheard(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Args:
        tables: Log files, then those of the test part.
        test_from: Position of the first file of the test part.
        roles: Columns of each table.
        meaning: How rows were read.
        spill: The kept rows.
        rejected: Reason to number of rows.
        dropped: Rule to number of rows.
        rows: How many rows there were.
        notes: What was taken for granted, for people.
        left_out: Files of a folder that are no part of the log.
    """

    tables: list[Table]
    test_from: int
    roles: list[Roles]
    meaning: Meaning
    spill: Spill
    rejected: dict[str, int]
    dropped: dict[str, int]
    rows: int
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read(
    logs: Sequence[Source],
    tests: Sequence[Source],
    options: EtlOptions,
    scratch: Path,
    rejects: Path,
    progress: Progress = unseen,
    say: Callable[[str], None] = unheard,
) -> Reading:
    """Read files, and write what cannot be used to ``rejects``.

    Args:
        logs: Files of the log.
        tests: Files of a given test part.
        options: What was asked for.
        scratch: Folder for copies and kept rows.
        rejects: Parquet file to write: file, line, reason, text.
        progress: Shows how far it is.
        say: Tells what was guessed.

    Raises:
        InputError: If a file, a column or too many rows cannot be used.
    """
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        say(text)

    tables, parts = _open([*logs, *tests], options, scratch, progress, note)
    if not tests:
        test_from = len(tables)
    else:
        wanted = {source.path for source in tests}
        test_from = next(place for place, each in enumerate(tables) if each.source.path in wanted)
    _same_parts(tables, parts)
    note(_columns(parts[0]))
    meaning = _meaning(tables, parts, options, note)
    rows = [
        meaning.rows(each, part, file) for file, (each, part) in enumerate(zip(tables, parts, strict=True))
    ]
    marked = [each.with_columns(pl.lit(file >= test_from).alias(HELD)) for file, each in enumerate(rows)]
    expected = sum(_rows_of(each) for each in tables)
    spill = Spill(scratch / "rows", expected)
    outcomes = _spill(pl.concat(marked), spill, expected, progress)
    rules = meaning.rules()
    dropped = {label: outcomes[label] for label in rules if outcomes[label]}
    rejected = {
        label: count for label, count in outcomes.most_common() if label != _KEPT and label not in rules
    }
    total = sum(outcomes.values())
    all_rows = pl.concat(rows).filter(pl.col(OUTCOME).is_not_null() & ~pl.col(OUTCOME).is_in(rules))
    _refuse_too_many(rejected, total, all_rows, tables, options)
    _write_rejects(all_rows, tables, rejects, any_=bool(rejected))
    opened = {each.source.path for each in tables}
    left_out = [str(source.path) for source in [*logs, *tests] if source.path not in opened]
    return Reading(tables, test_from, parts, meaning, spill, rejected, dropped, total, notes, left_out)


_KEPT: Final = ""


def _open(
    sources: Sequence[Source],
    options: EtlOptions,
    scratch: Path,
    progress: Progress,
    note: Callable[[str], None],
) -> tuple[list[Table], list[Roles]]:
    copies = scratch / "copies"
    copies.mkdir()
    headed = True if names_columns(options) else None
    tables, parts, faults = [], [], []
    with progress("looking through files", len(sources)) as advance:
        for number, source in enumerate(sources):
            try:
                opened = table(source, copies, number, headed=headed)
                part = roles(opened, options)
            except InputError as error:
                if source.chosen or len(sources) == 1:
                    raise
                faults.append(error)
                note(f"left out: {error}")
            else:
                tables.append(opened)
                parts.append(part)
            advance(1)
    if not tables:
        raise InputError(f"no file of the folder can be used; the first: {faults[0]}")
    latin = [str(each.source.path) for each in tables if each.plain.encoding == "latin-1"]
    if latin:
        note(
            "read as latin-1, since it is not UTF-8: "
            f"{', '.join(latin[:3])}{' and others' if len(latin) > 3 else ''}"
        )
    return tables, parts


def _same_parts(tables: list[Table], parts: list[Roles]) -> None:
    """All files must have a time, or none; the same with values."""
    for name, option in (("time", "--time"), ("value", "--value")):
        have = [getattr(part, name) is not None for part in parts]
        if any(have) and not all(have):
            with_, without = tables[have.index(True)].source.path, tables[have.index(False)].source.path
            raise InputError(
                f"{with_} has a {name} column and {without} has none; "
                f"give {option} none to leave it out, or leave out one of the files"
            )


def _columns(part: Roles) -> str:
    named = [f"{role} = {column}" for role, column in part.by_part().items() if column]
    guessed = f" (guessed: {', '.join(part.guessed)})" if part.guessed else ""
    return f"columns: {', '.join(named)}{guessed}"


def _meaning(
    tables: list[Table], parts: list[Roles], options: EtlOptions, note: Callable[[str], None]
) -> Meaning:
    value = parts[0].value
    if value and options.positive_from is None and not options.event_weights:
        note(f"each row weighs its {value}; --positive-from N keeps those from N on, --value none ignores it")
    reading = _clock(tables, parts, options)
    if reading is not None:
        note(f"time: {reading.described}")
    elif options.since or options.until or options.half_life:
        raise InputError(
            "--since, --until and --half-life need times and the log has none; give --time COLUMN"
        )
    first = pl.concat([each.frame.select(tables[0].columns) for each in tables]) if options.keep else None
    rules = conditions(options.keep, first, tables[0].columns) if first is not None else []
    whole = tuple(part for part in (USER, ITEM) if _written_as_floats(tables, parts, part))
    if whole:
        note(f"the ids of {' and '.join(whole)} are all written as 17850.0: read as 17850")
    return Meaning(
        options,
        reading,
        rules,
        moment(options.since, "--since") if options.since else None,
        moment(options.until, "--until") if options.until else None,
        whole,
    )


def _clock(tables: list[Table], parts: list[Roles], options: EtlOptions) -> Clock | None:
    """How times are read, judged by the beginning of the first file that has some."""

    def times(part: Roles, rows: pl.LazyFrame) -> pl.LazyFrame:
        column = pl.col(part.time or "")
        return rows.filter(pl.col(FAULT).is_null()).select(column.alias(TIME)).drop_nulls()

    def unread(asked: Clock) -> int:
        every = pl.concat([times(part, each.frame) for each, part in zip(tables, parts, strict=True)])
        return int(
            every.select(asked.micros(pl.col(TIME)).is_null().sum()).collect(engine="streaming").item()
        )

    for each, part in zip(tables, parts, strict=True):
        if part.time is not None:
            sample = _beginning(each.frame, partial(times, part))[TIME]
            if len(sample):
                return clock(sample, part.time, options.time_format, unread)
    return None


def _written_as_floats(tables: list[Table], parts: list[Roles], part: str) -> bool:
    """Whether every id is a whole number written with ``.0``, as pandas writes them beside missing ones."""
    columns = [getattr(each, part) for each in parts]
    pattern = r"^(0|[1-9]\d*)\.0$"

    def texts(column: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.filter(pl.col(FAULT).is_null()).select(pl.col(column).cast(pl.String).alias(part))

    first = _beginning(tables[0].frame, partial(texts, columns[0]))[part].drop_nulls()
    if not first.str.contains(pattern).all() or first.is_empty():
        return False
    every = pl.concat([texts(column, each.frame) for each, column in zip(tables, columns, strict=True)])
    matches = pl.col(part).is_null() | pl.col(part).str.contains(pattern)
    return bool(every.select(matches.all()).collect(engine="streaming").item())


def _beginning(rows: pl.LazyFrame, chosen: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
    """The first rows of ``chosen(rows)``.

    A file is read no further than needed only where the limit stands before the choice, so that is tried
    first.
    """
    few = chosen(rows.head(2 * _SAMPLE)).head(_SAMPLE).collect()
    return few if few.height == _SAMPLE else chosen(rows).head(_SAMPLE).collect()


def _rows_of(each: Table) -> int:
    """About how many rows a file has."""
    if each.columns == [USER, ITEM] and each.source.format in ("adjacency", "txt"):
        return each.plain.path.stat().st_size // 6
    return each.plain.lines


def _spill(rows: pl.LazyFrame, spill: Spill, expected: int, progress: Progress) -> Counter[str]:
    """Write the kept rows, and count what became of all of them; the key of the kept is empty."""
    outcomes: Counter[str] = Counter()
    lazy = spill.coded(rows.drop(FILE, LINE, RAW))
    with progress("reading rows", expected) as advance:
        for batch in lazy.collect_batches(engine="streaming", chunk_size=BATCH, maintain_order=False):
            kept = batch[OUTCOME].null_count()
            advance(batch.height)
            if kept < batch.height:
                counts = batch[OUTCOME].drop_nulls().value_counts()
                outcomes.update(dict(counts.iter_rows()))
                batch = batch.filter(pl.col(OUTCOME).is_null())
            outcomes[_KEPT] += kept
            spill.add(batch)
    return outcomes


def _refuse_too_many(
    rejected: dict[str, int], total: int, rows: pl.LazyFrame, tables: list[Table], options: EtlOptions
) -> None:
    unusable = sum(rejected.values())
    if unusable <= options.max_rejects * total:
        return
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
    row = rows.head(1).collect().row(0, named=True)
    raise InputError(
        f"{unusable:,} of {total:,} rows ({unusable / total:.1%}) cannot be used: {reasons}; for example "
        f"{tables[row[FILE]].source.path} line {row[LINE]}: {row[RAW][:120]!r}; mend them, leave them out "
        f"with --keep, or allow more than --max-rejects {options.max_rejects:.0%}"
    )


def _write_rejects(rows: pl.LazyFrame, tables: list[Table], path: Path, *, any_: bool) -> None:
    paths = [str(each.source.path) for each in tables]
    columns = (
        pl.col(FILE).replace_strict(list(range(len(paths))), paths, return_dtype=pl.String).alias("file"),
        pl.col(LINE).alias("line"),
        pl.col(OUTCOME).alias("reason"),
        pl.col(RAW).str.slice(0, _LONGEST).alias("text"),
    )
    if any_:
        rows.select(columns).sink_parquet(path, engine="streaming", mkdir=False)
    else:
        schema = {"file": pl.String, "line": pl.UInt64, "reason": pl.String, "text": pl.String}
        pl.DataFrame(schema=schema).write_parquet(path)

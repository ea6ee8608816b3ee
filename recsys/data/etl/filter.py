"""From parsed files to the rows that are kept, every other row counted by what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.coded_log import HELD
from recsys.data.etl.meaning import Meaning
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parse.parsed_log import ParsedLog
from recsys.data.etl.parse.table import RawTable
from recsys.data.etl.progress import Progress
from recsys.data.etl.schema import FILE, LINE, OUTCOME, RAW, VALUE
from recsys.data.etl.spill import Pieces, Spill
from recsys.errors import InputError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_KEPT: Final = ""
_TEXT: Final = "recsys item text"
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Filtered:
    """The kept rows.

    Args:
        spill: Those rows.
        rejected: Reason to number of rows.
        dropped: Rule to number of rows.
        rows: How many rows there were.
    """

    spill: Spill
    rejected: dict[str, int]
    dropped: dict[str, int]
    rows: int


def filtered(
    log: ParsedLog,
    meaning: Meaning,
    options: EtlOptions,
    scratch: Path,
    rejects: Path,
    known: Path,
    progress: Progress,
    pieces: Pieces,
) -> Filtered:
    """Read all rows; the unusable go to ``rejects``, those that ``--positive-from`` leaves out to ``known``.

    Args:
        log: The files.
        meaning: What their rows mean.
        options: What was asked for.
        scratch: Folder for the kept rows.
        rejects: Parquet file to write: file, line, reason, text.
        known: Parquet file to write where there are such rows: user, item, time, weight (the value).
        progress: Shows how far it is.
        pieces: How much is in memory at once.

    Raises:
        InputError: If too many rows cannot be used.
    """
    rows = [
        meaning.rows(each, part, file)
        for file, (each, part) in enumerate(zip(log.tables, log.roles, strict=True))
    ]
    marked = [each.with_columns(pl.lit(file >= log.test_from).alias(HELD)) for file, each in enumerate(rows)]
    expected = sum(each.rows for each in log.tables)
    spill = Spill(scratch / "rows", expected, pieces.bucket)
    below = meaning.threshold if options.positive_from is not None else None
    outcomes = _spill(pl.concat(marked), spill, expected, below, known, progress, pieces.batch)
    rules = meaning.rules()
    dropped = {label: outcomes[label] for label in rules if outcomes[label]}
    rejected = {
        label: count
        for label, count in sorted(outcomes.items(), key=lambda pair: (-pair[1], pair[0]))
        if label != _KEPT and label not in rules
    }
    total = sum(outcomes.values())
    all_rows = pl.concat(rows).filter(pl.col(OUTCOME).is_not_null() & ~pl.col(OUTCOME).is_in(rules))
    _refuse_too_many(rejected, total, all_rows, log.tables, options)
    _write_rejects(all_rows, log.tables, rejects, any_=bool(rejected))
    return Filtered(spill, rejected, dropped, total)


def _spill(
    rows: pl.LazyFrame,
    spill: Spill,
    expected: int,
    below: str | None,
    known: Path,
    progress: Progress,
    batch_rows: int,
) -> Counter[str]:
    """Write the kept rows, and count what became of all of them; the key of the kept is empty."""
    outcomes: Counter[str] = Counter()
    if below is not None:  # the spill puts numbers in place of items
        rows = rows.with_columns(pl.col(ITEM).alias(_TEXT))
    lazy = spill.coded(rows.drop(FILE, LINE, RAW, *([VALUE] if below is None else [])))
    with progress("reading rows", expected) as advance, _BelowThreshold(known) as apart:
        for batch in lazy.collect_batches(engine="streaming", chunk_size=batch_rows, maintain_order=False):
            kept = batch[OUTCOME].null_count()
            advance(batch.height)
            if kept < batch.height:
                counts = batch[OUTCOME].drop_nulls().value_counts()
                outcomes.update(dict(counts.iter_rows()))
                if below is not None:
                    apart.add(batch.filter(pl.col(OUTCOME) == below))
                    batch = batch.drop(_TEXT, VALUE)
                batch = batch.filter(pl.col(OUTCOME).is_null())
            outcomes[_KEPT] += kept
            spill.add(batch)
    return outcomes


class _BelowThreshold:
    """Writes rows below ``--positive-from`` to a parquet file, which exists once there is such a row."""

    def __init__(self, path: Path) -> None:
        self._path, self._writer = path, None

    _writer: pq.ParquetWriter | None

    def __enter__(self) -> _BelowThreshold:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, batch: pl.DataFrame) -> None:
        """Take rows in."""
        if batch.is_empty():
            return
        table = batch.select(USER, pl.col(_TEXT).alias(ITEM), TIME, pl.col(VALUE).alias(WEIGHT)).to_arrow()
        if self._writer is None:
            import pyarrow.parquet as pq

            # Dictionaries of ids and statistics would cost as much as the rest of the writing.
            self._writer = pq.ParquetWriter(
                self._path, table.schema, compression="lz4", use_dictionary=False, write_statistics=False
            )
        self._writer.write_table(table)


def _refuse_too_many(
    rejected: dict[str, int], total: int, rows: pl.LazyFrame, tables: Sequence[RawTable], options: EtlOptions
) -> None:
    unusable = sum(rejected.values())
    if unusable <= options.max_rejects * total:
        return
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
    row = rows.head(1).collect().row(0, named=True)
    raise InputError(
        f"{unusable:,} of {total:,} rows ({unusable / total:.1%}) cannot be used: {reasons}; for example "
        f"{tables[row[FILE]].source} line {row[LINE]}: {row[RAW][:120]!r}; fix them, leave them out "
        f"with --keep, or allow more than --max-rejects {options.max_rejects:.0%}"
    )


def _write_rejects(rows: pl.LazyFrame, tables: Sequence[RawTable], path: Path, *, any_: bool) -> None:
    names = [str(each.source) for each in tables]
    columns = (
        pl.col(FILE).replace_strict(list(range(len(names))), names, return_dtype=pl.String).alias("file"),
        pl.col(LINE).alias("line"),
        pl.col(OUTCOME).alias("reason"),
        pl.col(RAW).str.slice(0, _LONGEST).alias("text"),
    )
    if any_:
        rows.select(columns).sink_parquet(path, engine="streaming", mkdir=False)
    else:
        schema = {"file": pl.String, "line": pl.UInt64, "reason": pl.String, "text": pl.String}
        pl.DataFrame(schema=schema).write_parquet(path)

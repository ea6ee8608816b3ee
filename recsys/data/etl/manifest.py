"""What a dataset says of itself: hashes, sources, columns, split, counts and versions."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from recsys.data.dataset import PARTS, SCHEMA
from recsys.data.etl.filter import Filtered
from recsys.data.etl.meaning import Meaning
from recsys.data.etl.merge import Merged
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parse.parsed_log import ParsedLog
from recsys.data.etl.partition import Partition
from recsys.data.etl.sources import LogFiles
from recsys.data.splits.base import Splitter
from recsys.data.splits.parse import given_by, written
from recsys.errors import RecsysError
from recsys.version import __version__


def manifest(
    name: str,
    asked: EtlOptions,
    found: LogFiles,
    log: ParsedLog,
    meaning: Meaning,
    rows: Filtered,
    merging: Merged,
    parts: Partition,
    sizes: dict[str, dict[str, Any]],
    splitter: Splitter,
    notes: Sequence[str],
) -> dict[str, Any]:
    """The manifest, from what each stage found.

    Args:
        name: Of the dataset.
        asked: The options as they were given.
        found: Files that were found.
        log: Files that were read.
        meaning: What their rows mean.
        rows: Rows that were kept, and why others were not.
        merging: Rows after repeats were merged.
        parts: Train, validation and test set.
        sizes: See ``write.summary``.
        splitter: How the test set was held out.
        notes: What was guessed.

    Raises:
        RecsysError: If a row was lost on the way, by a fault of this package.
    """
    return {
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
        "time": meaning.time_format.described if meaning.time_format else None,
        "notes": list(notes),
        "counts": _counts(rows, merging, parts, sizes),
        "split": _split(splitter, asked),
        "sizes": sizes,
        "options": asked.model_dump(),
        "versions": {
            "recsys": __version__, "polars": version("polars"), "python": platform.python_version()
        },
    }  # fmt: skip


def _split(splitter: Splitter, asked: EtlOptions) -> dict[str, Any]:
    described = {"name": written(splitter), "valid": asked.valid, "seed": asked.seed}
    offered = given_by(asked.split) if asked.split else ""
    return described | ({"given_by": offered} if offered else {})


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

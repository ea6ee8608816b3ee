"""What separates the fields of a text file, judged by its first lines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from recsys.data.etl.column_names import is_header
from recsys.data.etl.parse.csv_repair import fields_of
from recsys.data.etl.separators import SPACES
from recsys.data.etl.sources import Source
from recsys.errors import InputError

_CANDIDATES: Final = ("::", ",", "\t", ";", "|")
_TRIPLES: Final = (3, 4)


def sniffed(source: Source, head: Sequence[str], *, columns_given: bool) -> str | None:
    """What separates the fields; None says that the file is an adjacency list.

    A separator occurs in the first line and splits nearly all lines into the same number of fields;
    of several, the one that gives the most fields.

    Args:
        source: The file.
        head: Its first lines.
        columns_given: Whether the user asked for columns, which an adjacency list has not.

    Raises:
        InputError: If it could be a table separated by spaces as well as an adjacency list.
    """
    lines = [line for line in head if line.strip()]
    if not lines:
        return ","
    scores = {each: _agreement(each, lines) for each in _CANDIDATES}
    best = max(_CANDIDATES, key=lambda each: scores[each])
    preferred = "\t" if source.format == "tsv" else best
    if scores[preferred] > (0.0, 0.0):
        return preferred
    if scores[best] > (0.0, 0.0):
        return best
    if source.format == "csv" or " " not in lines[0].strip():
        return "\t" if source.format == "tsv" else ","
    return _spaced(source, lines, columns_given=columns_given)


def _agreement(separator: str, lines: Sequence[str]) -> tuple[float, float]:
    """Share of the lines that have as many fields as is usual, in fifths, and that number of fields.

    Zeros where that is less than half of them, or the first line has no such separator.
    """
    if separator not in lines[0]:
        return 0.0, 0.0
    counts = _widths(separator, lines)
    usual = statistics.mode(counts)
    share = counts.count(usual) / len(counts)
    return (0.0, 0.0) if usual == 1 or share < 0.5 else (int(share * 5) / 5, float(usual))


def _widths(separator: str, lines: Sequence[str]) -> list[int]:
    """Number of fields of each record; lines that no quote closes together are records by themselves."""
    widths: list[int] = []
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        fields = fields_of("\n".join(waiting), separator)
        if fields is not None:
            widths.append(len(fields))
            waiting = []
    return widths + [len(line.split(separator)) for line in waiting]


def _spaced(source: Source, lines: Sequence[str], *, columns_given: bool) -> str | None:
    if columns_given or is_header(lines[0].split()):
        return SPACES
    counts = {len(line.split()) for line in lines}
    if len(counts) == 1 and counts & set(_TRIPLES):
        count = counts.pop()
        raise InputError(
            f"{source}: each of the first {len(lines)} lines has {count} fields between spaces: say "
            "what they are with --separator space --user 0 --item 1 (and --value, --time), or that each line "
            "is a user and the items of that user with --format adjacency"
        )
    return None

"""All files of a log, decoded and parsed, with the role of each column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parse import NoRowsError, RawTable, parse
from recsys.data.etl.progress import Progress
from recsys.data.etl.roles import Roles, header_note, roles
from recsys.data.etl.sources import Source
from recsys.errors import InputError


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """The files of a log that are used.

    Args:
        tables: Log files, then those of the test set.
        roles: Columns of each table.
        test_from: Position of the first file of the test set.
        left_out: Files that are not part of the log, or have no row.
    """

    tables: list[RawTable]
    roles: list[Roles]
    test_from: int
    left_out: list[str]


def parsed_log(
    logs: Sequence[Source],
    tests: Sequence[Source],
    options: EtlOptions,
    copies: Path,
    progress: Progress,
    note: Callable[[str], None],
) -> ParsedLog:
    """Open all files. One that has no row is left out, as is one of a folder that cannot be used.

    Args:
        logs: Files of the log.
        tests: Files of a given test set.
        options: What was asked for.
        copies: Folder for plain copies.
        progress: Shows how far it is.
        note: Takes what was guessed.

    Raises:
        InputError: If a file that was named cannot be used, or none can.
    """
    tables: list[RawTable] = []
    parts: list[Roles] = []
    left_out: list[str] = []
    faults: list[InputError] = []
    held: list[bool] = []
    with progress("looking through files", len(logs) + len(tests)) as advance:
        for number, source in enumerate([*logs, *tests]):
            try:
                opened = parse(
                    source, copies, number,
                    columns=options.asked_columns(), separator=options.separator, header=options.header,
                )  # fmt: skip
                part = roles(opened, options)
            except InputError as error:
                if source.chosen and not isinstance(error, NoRowsError):
                    raise
                faults.append(error)
                left_out.append(str(source))
            else:
                tables.append(opened)
                parts.append(part)
                held.append(number >= len(logs))
            advance(1)
    for place in _lists_among_tables(tables):
        note(f"left out: {tables[place].source} is not a table like other files of the folder")
        left_out.append(str(tables[place].source))
        del tables[place], parts[place], held[place]
    if False not in held:
        raise faults[0] if len(logs) == 1 else InputError(f"no file of the log can be used: {faults[0]}")
    if tests and True not in held:
        raise faults[-1]
    for fault in faults:
        note(f"left out: {fault}")
    for line in _notes(tables, parts):
        note(line)
    _same_parts(tables, parts)
    note(_columns(parts[0]))
    return ParsedLog(tables, parts, held.count(False), left_out)


def _notes(tables: list[RawTable], parts: list[Roles]) -> list[str]:
    latin = [str(each.source) for each in tables if each.plain.encoding == "latin-1"]
    more = " and others" if len(latin) > 3 else ""
    read = [f"read as latin-1, since it is not UTF-8: {', '.join(latin[:3])}{more}"] if latin else []
    lists = [str(each.source) for each in tables if each.guessed]
    if lists:
        many = " and others" if len(lists) > 1 else ""
        read.append(f"read as a user and the items of that user a line (adjacency): {lists[0]}{many}")
    headers = [header_note(each, part) for each, part in zip(tables, parts, strict=True)]
    return [*read, *(line for line in headers if line)]


def _lists_among_tables(tables: Sequence[RawTable]) -> list[int]:
    """Positions, from the last, of files of a folder that look like adjacency lists while others do not."""
    guessed = [not each.source.chosen and each.guessed for each in tables]
    return [] if all(guessed) else [place for place in reversed(range(len(tables))) if guessed[place]]


def _same_parts(tables: list[RawTable], parts: list[Roles]) -> None:
    """All files must have a time, or none; the same with values."""
    for name, option in (("time", "--time"), ("value", "--value")):
        have = [getattr(part, name) is not None for part in parts]
        if any(have) and not all(have):
            with_, without = tables[have.index(True)].source, tables[have.index(False)].source
            raise InputError(
                f"{with_} has a {name} column and {without} has none; "
                f"give {option} none to leave it out, or leave out one of the files"
            )


def _columns(part: Roles) -> str:
    named = [f"{role} = {column}" for role, column in part.by_part().items() if column]
    guessed = f" (guessed: {', '.join(part.guessed)})" if part.guessed else ""
    return f"columns: {', '.join(named)}{guessed}"

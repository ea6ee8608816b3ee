"""Which column of a table has which role."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from recsys.columns import ITEM, TIME, USER
from recsys.data.etl.column_names import EVENT, OPTION, VALUE, column, guess, listed
from recsys.data.etl.options import NONE, EtlOptions
from recsys.data.etl.parse.table import RawTable
from recsys.errors import InputError

_IN_ORDER: Final = (USER, ITEM, VALUE, TIME)


@dataclass(frozen=True, slots=True)
class Roles:
    """Columns of one table; None where there is none. ``guessed`` names the roles that were not given."""

    user: str
    item: str
    time: str | None
    value: str | None
    event: str | None
    guessed: tuple[str, ...]

    def by_part(self) -> dict[str, str | None]:
        """Part to column."""
        return {USER: self.user, ITEM: self.item, TIME: self.time, VALUE: self.value, EVENT: self.event}


def roles(table: RawTable, options: EtlOptions) -> Roles:
    """Find the columns that were asked for, and guess the others.

    Raises:
        InputError: If a column that was asked for is missing, or user or item cannot be guessed.
    """
    asked = {
        USER: options.user, ITEM: options.item, TIME: options.time, VALUE: options.value, EVENT: options.event
    }  # fmt: skip
    found: dict[str, str | None] = {}
    guessed = []
    for part, wanted in asked.items():
        if wanted == NONE:
            found[part] = None
        elif wanted is not None:
            found[part] = column(wanted, table.columns, OPTION[part], str(table.source))
        elif part != EVENT or options.event_weights:
            found[part] = _guess(table, part)
            guessed += [part] if found[part] else []
    missing = [part for part in (USER, ITEM) if not found.get(part)]
    if missing:
        raise InputError(_missing(table, missing[0]))
    user, item = found[USER], found[ITEM]
    assert user
    assert item
    if user == item:
        raise InputError(f"column {user!r} of {table.source} cannot be both user and item; give --item")
    _check_needed(table, found, options)
    for part, name in found.items():
        if name is not None:
            table.check(name, OPTION[part])
    return Roles(user, item, found[TIME], found[VALUE], found.get(EVENT), tuple(guessed))


def _check_needed(table: RawTable, found: dict[str, str | None], options: EtlOptions) -> None:
    if options.event_weights and not found[EVENT]:
        raise InputError(
            f"--event-weights needs a column of events and {table.source} has none of a usual name; "
            f"give --event, one of: {listed(table.columns)}"
        )
    if options.positive_from is not None and not found[VALUE]:
        raise InputError(
            f"--positive-from needs a column of values and {table.source} has none of a usual name; "
            f"give --value, one of: {listed(table.columns)}"
        )


def _guess(table: RawTable, part: str) -> str | None:
    if table.headed or not table.columns[0].startswith("column_"):
        return guess(part, table.columns)
    # Without a header only the order of the MovieLens family is assumed.
    in_order = table.source.format == "dat" and 2 <= len(table.columns) <= len(_IN_ORDER)
    place = _IN_ORDER.index(part) if part in _IN_ORDER else len(_IN_ORDER)
    return table.columns[place] if in_order and place < len(table.columns) else None


def _missing(table: RawTable, part: str) -> str:
    where = table.source
    if table.headed:
        return (
            f"{where}: no column has a usual name for the {part}; "
            f"give {OPTION[part]}, one of: {listed(table.columns)}"
        )
    count = len(table.columns)
    return (
        f"{where}: the first line ({', '.join(table.first[:4])}) has no usual column name; give "
        f"{OPTION[part]} NAME where it is a header, or {OPTION[part]} POSITION (0 to {count - 1}) where the "
        "file has none"
    )


def header_note(table: RawTable, roles: Roles) -> str | None:
    """The note if the first line was read as a row and may be a header: words without a digit."""
    if not table.first or table.headed:
        return None
    places = [table.columns.index(name) for name in (roles.user, roles.item) if name in table.columns]
    words = [table.first[place] for place in places if place < len(table.first)]
    if len(words) < len(places) or any(not word.strip() or re.search(r"\d", word) for word in words):
        return None
    return (
        f"{table.source}: the first line ({', '.join(table.first[:4])}) is read as a row; "
        "where it is a header, give --header yes"
    )

"""Which column is the user, the item, the time: guessed from the names that logs usually have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from recsys.columns import ITEM, TIME, TITLE, USER
from recsys.errors import InputError

VALUE: Final = "value"
EVENT: Final = "event"
_SHOWN: Final = 12

# Likeliest first; compared without case and without anything but letters and digits.
USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    USER: (
        "user", "userid", "uid", "customerid", "customer", "reviewerid", "visitorid", "memberid", "accountid",
        "clientid", "buyerid", "userprocid", "username", "author", "authorid", "personid", "sessionid",
    ),
    ITEM: (
        "item", "itemid", "iid", "movieid", "bookid", "productid", "product", "stockcode", "asin",
        "parentasin", "articleid", "songid", "trackid", "artistid", "businessid", "locationid", "placeid",
        "videoid", "gameid", "recipeid", "newsid", "itemprocid", "isbn", "sku",
    ),
    TIME: (
        "time", "timestamp", "unixreviewtime", "datetime", "invoicedate", "eventtime", "createdat", "date",
        "ts", "reviewtime", "orderdate", "purchasedate", "unixtime", "timems", "localdate",
    ),
    VALUE: (
        "value", "rating", "ratings", "score", "stars", "overall", "weight", "count", "plays", "playcount",
        "listencount", "strength",
    ),
    EVENT: ("event", "eventtype", "action", "behavior", "behaviour", "interactiontype", "type"),
    TITLE: (
        "title", "name", "originaltitle", "movietitle", "booktitle", "productname", "producttitle",
        "itemname", "description",
    ),
}  # fmt: skip
# Names of values that people gave on a scale, and not of counts.
RATINGS: Final = ("rating", "ratings", "score", "stars", "overall")
OPTION: Final[Mapping[str, str]] = {
    USER: "--user", ITEM: "--item", TIME: "--time", VALUE: "--value", EVENT: "--event", TITLE: "--title",
}  # fmt: skip


def normal(name: str) -> str:
    """A column name in lower case, letters and digits only.

    Example:
        >>> normal("Customer ID")
        'customerid'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def guess(role: str, columns: Sequence[str]) -> str | None:
    """The column that most likely has ``role``, or None."""
    by_name = {normal(name): name for name in reversed(columns)}
    return next((by_name[usual] for usual in USUAL[role] if usual in by_name), None)


def is_header(fields: Sequence[str]) -> bool:
    """Whether a first line names columns rather than holding a row."""
    known = {usual for names in USUAL.values() for usual in names}
    return any(normal(field) in known for field in fields)


def column(asked: str | int, columns: Sequence[str], option: str, where: str) -> str:
    """The column that was asked for, by name or by position from 0.

    Raises:
        InputError: If there is none of that name or at that position.
    """
    if str(asked) in columns:
        return str(asked)
    alike = [name for name in columns if normal(name) == normal(str(asked))]
    if len(alike) == 1 and not str(asked).isdecimal():
        return alike[0]
    if str(asked).isdecimal() and int(asked) < len(columns):
        return columns[int(asked)]
    raise InputError(
        f"{where} has no column {str(asked)!r} for {option}; it has: {listed(columns)} "
        f"(or give a position, 0 to {len(columns) - 1})"
    )


def listed(columns: Sequence[str]) -> str:
    """Columns for a message, not more than 12.

    Example:
        >>> listed(["a", "b"])
        'a, b'
    """
    more = len(columns) - _SHOWN
    return ", ".join(columns[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

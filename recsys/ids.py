"""Raw ids: one text for each, whatever type it came in; and the codes that they become.

Polars is imported where it is used, since a cold ``recsys recommend`` has one id to read and no table.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from recsys.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

# What is taken off both ends of an id: ASCII and Unicode white space, and the byte order mark.
SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
WHOLE_AS_FLOAT: Final = r"^(0|[1-9]\d*)\.0$"  # how pandas writes whole ids of a column that lacks some
_EXACT: Final = 2**53  # from here on a float64 has lost digits of a whole number


class IdIndex(Protocol):
    """Ids that can be searched."""

    def find(self, text: str) -> int | None:
        """Position of an id, or None."""
        ...


def id_text(value: object) -> str | None:
    """The text of a raw id; None where there is none: null, NaN, or nothing but white space.

    Text keeps its letters and zeros and loses the white space around it; whole numbers are written without
    a fraction, whether they came as ``7``, ``7.0`` or a numpy scalar; bytes are UTF-8.

    Raises:
        InputError: If the value is of a type that cannot be an id (a list, a mapping), is infinite, is a
            float whose last digits are lost (2^53 and above), or is text or bytes that are not UTF-8.

    Example:
        >>> id_text(" 0054890 "), id_text(7.0), id_text(b"x"), id_text(float("nan"))
        ('0054890', '7', 'x', None)
    """
    if isinstance(value, str | bytes):
        return _plain(value)
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__name__ in ("bool", "bool_"):
        return str(bool(value)).lower()
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return _float_text(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, date | UUID):
        return str(value)
    raise InputError(f"{value!r} is not an id: it is a {type(value).__name__}; give text or a number")


def _plain(value: str | bytes) -> str | None:
    """Without the white space around it."""
    try:
        if isinstance(value, bytes):
            value = value.decode()
        elif not value.isascii():
            value.encode()  # fails on half of a surrogate pair, which is what undecodable bytes become
    except UnicodeError as error:
        raise InputError(f"id {value!r} is not UTF-8 text; decode it, and give that") from error
    return value.strip(SPACE) or None


def _float_text(value: Any) -> str | None:
    if math.isnan(value):
        return None
    if not abs(value) < _EXACT:
        raise InputError(
            f"id {value!r} is a float, whose last digits are lost from 2^53 on; give it as text or an integer"
        )
    return str(int(value)) if value == int(value) else str(value)


def _decimal_text(value: Decimal) -> str | None:
    if not value.is_finite():
        return _float_text(float(value))
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def id_texts(ids: object) -> list[str | None]:
    """``id_text`` of one raw id, or of each of several; a text is one id, never its letters.

    Args:
        ids: An id, or a list, tuple, set, array or column of ids.

    Raises:
        InputError: As ``id_text``; or if it is a table or a mapping.

    Example:
        >>> id_texts("12"), id_texts([12, 7.0, None]), id_texts(5)
        (['12'], ['12', '7', None], ['5'])
    """
    if isinstance(ids, Mapping) or hasattr(ids, "columns"):
        raise InputError(
            f"a {type(ids).__name__} is not a list of ids; give a list, or one column of a table"
        )
    if not isinstance(ids, Iterable) or isinstance(ids, str | bytes | bytearray | memoryview):
        return [id_text(ids)]
    if getattr(ids, "ndim", 1) == 0:  # an array of numpy around one value
        return [id_text(ids.item())]  # type: ignore[attr-defined]
    return [id_text(each) for each in ids]


def find_id(value: object, ids: IdIndex) -> int | None:
    """Code of a raw id, or None; ``7.0`` given as text finds ``7`` where no ``7.0`` is known.

    Example:
        >>> class Known(list):
        ...     find = lambda self, text: self.index(text) if text in self else None
        >>> find_id(7, Known(["7"])), find_id("7.0", Known(["7"])), find_id("x", Known(["7"]))
        (0, 0, None)
    """
    text = id_text(value)
    if text is None:
        return None
    code = ids.find(text)
    if code is None and text.endswith(".0") and text[:-2].removeprefix("-").isdecimal():
        code = ids.find(text[:-2])
    return code


def id_column(column: pl.Expr, kind: pl.DataType, *, trim: bool = True) -> pl.Expr:
    """``id_text`` of each row of a column of type ``kind``; null where it would be None or raise.

    Bytes that are not UTF-8 are an error of polars when the rows are collected.

    Args:
        column: Of text, bytes, numbers, categories, dates or truth values.
        kind: Its type.
        trim: False where text is known to have no white space around it.
    """
    import polars as pl

    if kind.is_float():
        whole = column.cast(pl.Int64, strict=False)
        exact = column.is_not_nan() & (column.abs() < _EXACT)
        text = pl.when(whole == column).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
        return pl.when(exact).then(text)
    if isinstance(kind, pl.Decimal) and kind.scale:
        return column.cast(pl.String).str.replace(r"\.?0+$", "")
    if kind == pl.Binary:
        column = column.cast(pl.String)
    elif kind != pl.String:
        return column.cast(pl.String)
    if not trim:
        return column
    text = column.str.strip_chars(SPACE)
    return pl.when(text != "").then(text)


def written_as_floats(ids: pl.Series) -> bool:
    """Whether some ids are whole numbers written ``7.0``, and none is a number with another fraction.

    That is what pandas makes of a column of integer ids with missing values; ``1.0`` beside ``1.5`` is
    not such an id.
    """
    if not ids.str.contains(WHOLE_AS_FLOAT).any():
        return False
    return not bool((ids.str.contains(r"^[+-]?\d+\.\d+$") & ~ids.str.contains(WHOLE_AS_FLOAT)).any())


def without_fraction(ids: pl.Series) -> pl.Series:
    """Ids with ``7`` in place of ``7.0``."""
    return ids.str.replace(WHOLE_AS_FLOAT, "$1")


@dataclass(frozen=True, slots=True)
class IdMap:
    """A bijection of unique raw ids (text, as in the log) and the codes 0..n-1.

    Args:
        ids: Unique, not null; the code of an id is its position.

    Raises:
        InputError: If an id is null or occurs twice.

    Example:
        >>> import polars as pl
        >>> ids = IdMap.of(pl.Series(["10", "9", "10"]))
        >>> ids.ids.to_list(), ids.encode(pl.Series(["10", "x"])).to_list()
        (['9', '10'], [1, None])
    """

    ids: pl.Series

    def __post_init__(self) -> None:
        import polars as pl

        if self.ids.dtype != pl.String:
            raise InputError(f"ids must be text, not {self.ids.dtype}; cast them to pl.String first")
        if self.ids.null_count():
            raise InputError(f"{self.ids.null_count()} ids are null; drop those rows first")
        if self.ids.n_unique() != len(self.ids):
            twice = self.ids.filter(self.ids.is_duplicated())[0]
            raise InputError(f"id {twice!r} occurs more than once; give each id once")

    @classmethod
    def of(cls, raw: pl.Series) -> IdMap:
        """The unique ids of a column: in the order of numbers where all are whole numbers, else of text."""
        import polars as pl

        unique = raw.cast(pl.String).drop_nulls().unique()
        whole = bool(unique.str.contains(r"^(0|[1-9]\d{0,17})$").all())
        ordered = unique.gather(unique.cast(pl.Int64).arg_sort()) if whole else unique.sort()
        return cls(ordered.rename("id"))

    def __len__(self) -> int:
        return len(self.ids)

    def encode(self, raw: pl.Series) -> pl.Series:
        """Codes (u32) of raw ids; null where an id is unknown, and the caller decides what that means."""
        import polars as pl

        table = pl.DataFrame({"id": self.ids, "code": pl.int_range(len(self), dtype=pl.UInt32, eager=True)})
        keys = pl.DataFrame({"id": raw.cast(pl.String)})
        return keys.join(table, on="id", how="left", maintain_order="left")["code"].rename(raw.name)

    def decode(self, codes: npt.NDArray[Any] | pl.Series) -> pl.Series:
        """Raw ids of codes in 0..n-1."""
        import polars as pl

        return self.ids.gather(pl.Series(codes).cast(pl.UInt32))

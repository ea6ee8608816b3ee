"""Finds in one pass over a delimited file where its quotes open and close fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_QUOTE, _LINE_FEED, _RETURN, _SPACE = b'"\n\r '
_Bytes = npt.NDArray[np.uint8]
_NOTHING: Final = -1


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quotes of a file.

    Args:
        opening: Number of quotes at the beginning of a field (after spaces or not); no other can open one.
        strict: Whether each quoted field opens at the beginning of a field and closes at its end, with quotes
            inside it doubled (RFC 4180).
        breaks: Number of line feeds inside quoted fields; meaningful only if ``strict``.
    """

    opening: int = 0
    strict: bool = True
    breaks: int = 0


class QuoteScan:
    """Finds the quotes of a file, chunk by chunk.

    A quote outside a quoted field opens one, or continues it where it doubles the quote before; a quote
    inside one closes it. In a strict file the first kind follows a separator, a line feed or a quote, and the
    second is followed by one of them.
    """

    def __init__(self, separator: str) -> None:
        """``separator`` is one character, or empty where fields are not quoted."""
        self._separator = ord(separator) if len(separator) == 1 and ord(separator) < 128 else _NOTHING
        self._opening, self._strict, self._breaks = 0, True, 0
        self._inside, self._closing = False, False  # in a quoted field; the last byte closed one
        self._tail = np.array([_LINE_FEED], dtype=np.uint8)

    def add(self, block: _Bytes) -> None:
        """Look at the next bytes, (n,) u8."""
        if self._separator == _NOTHING or len(block) == 0:
            return
        if self._closing:
            self._strict = self._strict and bool(self._ends(block[:1]).all())
            self._closing = False
        quotes = np.flatnonzero(block == _QUOTE)
        if len(quotes) == 0:
            self._breaks += int(np.count_nonzero(block == _LINE_FEED)) if self._inside else 0
        else:
            self._look(block, quotes)
        self._tail = np.concatenate([self._tail, block[-64:]])[-64:]

    def found(self) -> Quotes:
        """What was found, at the end of the file."""
        return Quotes(self._opening, self._strict and not self._inside, self._breaks)

    def _look(self, block: _Bytes, quotes: npt.NDArray[np.intp]) -> None:
        before = np.where(quotes > 0, block[quotes - 1], self._tail[-1])
        begins = self._begins(before)
        spaced = np.flatnonzero(before == _SPACE)
        first = [bool(self._begins(self._before_spaces(block, int(quotes[each])))) for each in spaced]
        self._opening += int(begins.sum()) + sum(first)
        if self._strict:
            outside = (np.arange(len(quotes)) + self._inside) % 2 == 0
            good = begins | (before == _QUOTE)
            self._strict = bool(good[outside].all())
            closing = quotes[~outside]
            self._closing = bool(len(closing)) and bool(closing[-1] == len(block) - 1)
            closing = closing[:-1] if self._closing else closing
            self._strict = self._strict and bool(self._ends(block[closing + 1]).all())
            feeds = np.flatnonzero(block == _LINE_FEED)
            within = (np.searchsorted(quotes, feeds) + self._inside) % 2 == 1
            self._breaks += int(within.sum())
            self._inside = bool((len(quotes) + self._inside) % 2)

    def _begins(self, before: _Bytes) -> npt.NDArray[np.bool_]:
        """Whether a field begins after such a byte."""
        result: npt.NDArray[np.bool_] = (before == self._separator) | (before == _LINE_FEED)
        return result

    def _ends(self, after: _Bytes) -> npt.NDArray[np.bool_]:
        """Whether a quoted field may close before such a byte."""
        result: npt.NDArray[np.bool_] = self._begins(after) | (after == _RETURN) | (after == _QUOTE)
        return result

    def _before_spaces(self, block: _Bytes, place: int) -> _Bytes:
        """The last byte before ``place`` that is not a space."""
        start = max(0, place - 64)
        line = np.concatenate([self._tail, block[start:place]] if start == 0 else [block[start:place]])
        other = np.flatnonzero(line != _SPACE)
        return line[other[-1:]]

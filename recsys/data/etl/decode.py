"""Makes any file plain UTF-8 text: unpacked, re-encoded, its fields separated by one byte."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from recsys.data.etl.archives import kind_of, unpacked
from recsys.data.etl.quotes import Quotes, QuoteScan
from recsys.data.etl.separators import SPACES, UNIT, as_one_byte
from recsys.errors import InputError

CHUNK: Final = 1 << 22
_LINE_FEED, _NUL = b"\n\0"
_BOM: Final = codecs.BOM_UTF8
_MARKUP: Final = (b"<!doctype html", b"<html", b"<?xml")
_RUN: Final = re.compile(rb"[ \t]+")
_RUN_AT_END: Final = re.compile(rb"[ \t]*(\r?\n)[ \t]*")


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that a fast reader takes.

    Args:
        path: The file itself, or a copy in plain UTF-8.
        sha256: Of the file as it was given.
        size: Of the file as it was given, in bytes.
        encoding: ``utf-8``, ``latin-1`` or ``binary``.
        lines: How many.
        spaced: Whether it holds a space, or white space beyond ASCII: fields may need trimming.
        quotes: Its quotes.
    """

    path: Path
    sha256: str
    size: int
    encoding: str
    lines: int
    spaced: bool
    quotes: Quotes


def decode(path: Path, copy: Path, *, separator: str = "") -> Plain:
    """Look through a text file once; copy it only where it must change.

    That is where it is packed, not UTF-8, begins with a byte order mark, or has a separator of more than one
    character (or of runs of spaces), which the copy has ``UNIT`` in place of.

    Args:
        path: The file.
        copy: Where a copy may be made.
        separator: What separates fields; empty where that is not known by characters (JSON).

    Raises:
        InputError: If it cannot be read, is cut off, or is not text.
    """
    with _readable(path):
        with path.open("rb") as file:
            head = file.read(4)
        replaced = bool(separator) and as_one_byte(separator) != separator
        rewritten = replaced or head.startswith(_BOM) or kind_of(path) is not None
        try:
            return _look(path, copy if rewritten else None, separator, "utf-8")
        except UnicodeDecodeError:
            return _look(path, copy, separator, "latin-1")


def binary(path: Path) -> Plain:
    """A binary file: it is only hashed.

    Raises:
        InputError: If it cannot be read.
    """
    with _readable(path), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Plain(path, digest, file.tell(), "binary", 0, True, Quotes())


def first_lines(path: Path, count: int, longest: int) -> list[str]:
    """A few whole lines to judge by.

    Raises:
        InputError: If the file cannot be read, or is not text.
    """
    with _readable(path):
        head = next(unpacked(path, lambda _: None, longest), b"")[:longest]
    _check_text(path, head)
    head = head.removeprefix(_BOM)
    cut = len(head) < longest
    lines = head.split(b"\n")[: count + 1]
    lines = lines if cut and len(lines) <= count else lines[:-1] or lines
    return [_text(line.removesuffix(b"\r")) for line in lines[:count]]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise InputError(f"{path} is cut off or broken ({error}); fetch it again") from error
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; check the path") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); change its permissions") from error


def _check_text(path: Path, head: bytes) -> None:
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InputError(f"{path} is UTF-16 text; save it as UTF-8 and give that")
    if head.removeprefix(_BOM).lstrip()[:14].lower().startswith(_MARKUP):
        raise InputError(f"{path} is a web page or XML and not a log (did a download fail?); give a table")
    if _NUL in head:
        raise InputError(f"{path} is not text (it holds zero bytes); give text as UTF-8, or --format parquet")


def _look(path: Path, copy: Path | None, separator: str, encoding: str) -> Plain:
    digest, size, lines, last, spaced = hashlib.sha256(), 0, 0, b"\n", encoding == "latin-1"
    replaced = bool(separator) and as_one_byte(separator) != separator
    quotes = QuoteScan("" if replaced else separator)
    white = [each for each in (b" ", b"\t", b"\x0b", b"\x0c") if each.decode() != separator]
    decoder = codecs.getincrementaldecoder(encoding)()
    out = copy.open("wb") if copy else None
    beside = ThreadPoolExecutor(1)  # hashes a chunk while it is looked through
    hashing = beside.submit(digest.update, b"")

    def hashed(chunk: bytes) -> None:
        nonlocal size, hashing
        hashing.result()  # no more than one waits
        hashing = beside.submit(digest.update, chunk)
        size += len(chunk)

    try:
        for number, chunk in enumerate(unpacked(path, hashed, CHUNK)):
            if number == 0:
                _check_text(path, chunk)
            block = chunk.removeprefix(_BOM) if number == 0 else chunk
            if not block.isascii() or decoder.getstate()[0]:
                decoded = decoder.decode(block)
                block = decoded.encode() if encoding == "latin-1" else block
                spaced = True
            characters = np.frombuffer(block, dtype=np.uint8)  # counts several times as fast as bytes do
            lines += int(np.count_nonzero(characters == _LINE_FEED))
            spaced = spaced or any(each in block for each in white)
            quotes.add(characters)
            last = block[-1:] or last
            if out:
                out.write(block)
        decoder.decode(b"", final=True)
    finally:
        beside.shutdown()
        if out:
            out.close()
    if copy and replaced:
        _separate_by_one_byte(copy, separator)
    return Plain(
        copy or path, digest.hexdigest(), size, encoding, lines + (last != b"\n"), spaced, quotes.found()
    )


def _separate_by_one_byte(path: Path, separator: str) -> None:
    """Replace each separator by one byte, in place and line by line; the file only gets shorter."""
    wanted = separator.encode()

    def replaced(block: bytes) -> bytes:
        if separator == SPACES:
            return _RUN.sub(UNIT.encode(), _RUN_AT_END.sub(rb"\1", block.strip(b" \t")))
        return block.replace(wanted, UNIT.encode())

    with path.open("r+b") as file:
        read = write = 0
        rest = b""
        while True:
            file.seek(read)
            chunk = file.read(CHUNK)
            read += len(chunk)
            block = rest + chunk
            # What follows the last line feed may hold half of a separator: it waits for the next chunk.
            cut = block.rfind(b"\n") + 1 if chunk else len(block)
            block, rest = replaced(block[:cut]), block[cut:]
            file.seek(write)
            file.write(block)
            write += len(block)
            if not chunk:
                break
        file.truncate()

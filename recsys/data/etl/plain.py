"""Any file as plain UTF-8 text: unpacked, re-encoded, its fields parted by one byte; and what is in it."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from recsys.errors import InputError

_CHUNK: Final = 1 << 22
_LINE_FEED, _QUOTE = b'\n"'
_BOM: Final = codecs.BOM_UTF8
PACKED: Final = (".gz", ".zst")
UNIT: Final = "\x1f"  # stands for the two characters of "::"


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that a fast reader takes.

    Args:
        path: The file itself, or a copy in plain UTF-8.
        sha256: Of the file as it was given.
        size: Of the file as it was given, in bytes.
        encoding: ``utf-8`` or ``latin-1``.
        lines: How many.
        quotes: How many ``"``.
    """

    path: Path
    sha256: str
    size: int
    encoding: str
    lines: int
    quotes: int


def plain(path: Path, copy: Path, *, separator: str = "", text: bool = True) -> Plain:
    """Look through a file once; make a plain copy only where it is packed, not UTF-8, or parted by ``::``.

    Args:
        path: The file.
        copy: Where a copy may be made.
        separator: ``::`` where fields are parted by it.
        text: False for a binary format: it is only hashed.

    Raises:
        InputError: If it cannot be read, is cut off, or is UTF-16.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if text and head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise InputError(f"{path} is UTF-16 text; save it as UTF-8 and give that")
        rewrite = path.suffix in PACKED or head.startswith(_BOM) or separator == "::"
        if not text:
            return _look(path, None, separator, "binary")
        try:
            return _look(path, copy if rewrite else None, separator, "utf-8")
        except UnicodeDecodeError:
            return _look(path, copy, separator, "latin-1")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is cut off or broken ({error}); fetch it again") from error
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; check the path") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); change its permissions") from error


def _look(path: Path, copy: Path | None, separator: str, encoding: str) -> Plain:
    digest, size, lines, quotes, last = hashlib.sha256(), 0, 0, 0, b"\n"
    decoder = codecs.getincrementaldecoder(encoding)() if encoding != "binary" else None
    out = copy.open("wb") if copy else None
    beside = ThreadPoolExecutor(1)  # hashes a chunk while it is looked through
    hashing = beside.submit(digest.update, b"")

    def hashed(chunk: bytes) -> None:
        nonlocal size, hashing
        hashing.result()  # no more than one waits
        hashing = beside.submit(digest.update, chunk)
        size += len(chunk)

    try:
        for number, chunk in enumerate(unpacked(path, hashed)):
            block = chunk.removeprefix(_BOM) if number == 0 and decoder else chunk
            if decoder and (not block.isascii() or decoder.getstate()[0]):
                decoded = decoder.decode(block)
                block = decoded.encode() if encoding == "latin-1" else block
            if decoder:
                characters = np.frombuffer(block, dtype=np.uint8)  # counts several times as fast as bytes do
                lines += int(np.count_nonzero(characters == _LINE_FEED))
                quotes += int(np.count_nonzero(characters == _QUOTE))
                last = block[-1:] or last
            if out:
                out.write(block)
        if decoder:
            decoder.decode(b"", final=True)
    finally:
        beside.shutdown()
        if out:
            out.close()
    if copy and separator == "::":
        _part_by_one_byte(copy)
    return Plain(copy or path, digest.hexdigest(), size, encoding, lines + (last != b"\n"), quotes)


def unpacked(path: Path, hashed: Callable[[bytes], None] = lambda _: None) -> Iterator[bytes]:
    """Chunks of what is in a file, unpacked; ``hashed`` is shown the bytes as they lie on disk."""
    with path.open("rb") as raw:
        if path.suffix == ".gz":
            with gzip.open(_Watched(raw, hashed)) as packed:  # type: ignore[call-overload]
                while chunk := packed.read(_CHUNK):
                    yield chunk
        elif path.suffix == ".zst":
            yield from _unzstd(raw, hashed)
        else:
            while chunk := raw.read(_CHUNK):
                hashed(chunk)
                yield chunk


def _unzstd(raw: BinaryIO, hashed: Callable[[bytes], None]) -> Iterator[bytes]:
    import zstandard

    frame = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    try:
        while packed := raw.read(1 << 18):
            hashed(packed)
            while packed:
                yield frame.decompress(packed)
                fresh, packed = frame.eof, frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error
    if not fresh:
        raise EOFError("it ends in the middle of a frame")


class _Watched:
    """A binary file that shows what is read from it."""

    def __init__(self, file: BinaryIO, hashed: Callable[[bytes], None]) -> None:
        self._file, self._hashed = file, hashed

    def read(self, count: int = -1) -> bytes:
        """Read, and show."""
        chunk = self._file.read(count)
        self._hashed(chunk)
        return chunk


def _part_by_one_byte(path: Path) -> None:
    """Replace each ``::`` by one byte, in place; the file only gets shorter."""
    with path.open("r+b") as file:
        read = write = 0
        rest = b""
        while True:
            file.seek(read)
            chunk = file.read(_CHUNK)
            read += len(chunk)
            block = rest + chunk
            # Colons at the end may be half of a separator: they wait for the next chunk.
            cut = len(block.rstrip(b":")) if chunk else len(block)
            block, rest = block[:cut], block[cut:]
            block = block.replace(b"::", UNIT.encode())
            file.seek(write)
            file.write(block)
            write += len(block)
            if not chunk:
                break
        file.truncate()

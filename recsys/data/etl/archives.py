"""Packed files, known by their first bytes and not by their names: gzip, bzip2, xz, zstandard, zip of one."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from recsys.errors import InputError

SUFFIXES: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")
_MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_FOREIGN: Final = {
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"ARROW1": "an Arrow file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
}
_Hashed = Callable[[bytes], None]


def kind_of(path: Path) -> str | None:
    """How a file is packed, or None.

    Raises:
        InputError: If it is of a kind that is not read: an error that says what to do.
    """
    with path.open("rb") as file:
        head = file.read(16)
    foreign = next((what for magic, what in _FOREIGN.items() if head.startswith(magic)), None)
    if foreign:
        raise InputError(f"{path} is {foreign}, which is not read; save the table as CSV or parquet")
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def inner_name(path: Path) -> str:
    """Name of what is in a file: itself where it is not packed.

    Raises:
        InputError: If it is a zip of no or several files, or an Excel workbook.
    """
    if path.is_file() and kind_of(path) == "zip":
        return Path(_only_member(path).filename).name
    return path.name[: -len(path.suffix)] if path.suffix.lower() in SUFFIXES else path.name


def unpacked(path: Path, hashed: _Hashed, chunk: int) -> Iterator[bytes]:
    """Chunks of what is in a file; ``hashed`` gets all bytes as they are on disk.

    Raises:
        EOFError: If what is packed is cut off or broken.
        InputError: If it is a zip of no or several files.
    """
    kind = kind_of(path)
    with path.open("rb") as raw:
        try:
            match kind:
                case None:
                    while block := raw.read(chunk):
                        hashed(block)
                        yield block
                case "zip":
                    yield from _unzip(path, raw, hashed, chunk)
                case "zstandard":
                    yield from _unzstd(raw, hashed)
                case _:
                    opener = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[kind]
                    with opener(_HashingReader(raw, hashed)) as packed:  # type: ignore[operator]
                        while block := packed.read(chunk):
                            yield block
        except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise EOFError(str(error)) from error
        except OSError as error:  # bz2 has no error of its own
            if kind == "bzip2" and error.errno is None:
                raise EOFError(str(error)) from error
            raise


def _unzip(path: Path, raw: BinaryIO, hashed: _Hashed, chunk: int) -> Iterator[bytes]:
    while block := raw.read(chunk):
        hashed(block)
    with zipfile.ZipFile(path) as archive, archive.open(_only_member(path)) as member:
        while block := member.read(chunk):
            yield block


def _only_member(path: Path) -> zipfile.ZipInfo:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is cut off or broken ({error}); fetch it again") from error
    members = [each for each in members if not each.filename.startswith("__MACOSX/")]
    names = [each.filename for each in members]
    if "[Content_Types].xml" in names:
        raise InputError(f"{path} is an Excel workbook, which is not read; save the sheet as CSV")
    if len(members) != 1:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        raise InputError(
            f"{path} holds {len(names)} files ({shown or 'none'}), and a zip of one is read; "
            "unpack it and give the log"
        )
    if members[0].flag_bits & 1:
        raise InputError(f"{path} is encrypted; unpack it and give the log")
    return members[0]


def _unzstd(raw: BinaryIO, hashed: _Hashed) -> Iterator[bytes]:
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


class _HashingReader:
    """A binary file that passes what is read from it to a hash."""

    def __init__(self, file: BinaryIO, hashed: _Hashed) -> None:
        self._file, self._hashed = file, hashed

    def read(self, count: int = -1) -> bytes:
        """Read, and hash."""
        chunk = self._file.read(count)
        self._hashed(chunk)
        return chunk

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """False: a hash cannot go back."""
        return False

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

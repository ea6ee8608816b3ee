"""Fetches public logs from where their owners publish them: resumed, checked, and unpacked safely."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import stat
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from recsys import plugins
from recsys.data.public_logs.public_log import PublicLog, Remote
from recsys.errors import InputError, RecsysError
from recsys.storage.files import remove, replacing, sweep

FAMILY: Final = "public_logs"
CHUNK: Final = 1 << 18
SECONDS: Final = 30.0
PART: Final = ".part"
# A log larger than this, or one that grows more than a thousandfold, is not what its owner publishes.
LARGEST: Final = 8 << 30
LARGEST_RATIO: Final = 1000
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is in ``HOME/raw/<name>/`` now.

    Args:
        folder: Where.
        files: Names of the files.
        checked: Which of those that were fetched have the hash that their owner publishes.
        kept: Whether it was there already, and nothing was fetched.
    """

    folder: Path
    files: list[str]
    checked: list[str]
    kept: bool


def names() -> list[str]:
    """The public logs that can be fetched: ours, and those of packages and files beside it."""
    return [name.replace("_", "-") for name in plugins.names(FAMILY)]


def about(name: str) -> str:
    """What a public log is, in one line."""
    return plugins.part(FAMILY, name).summary.removesuffix(".")


def public_log(name: str) -> PublicLog:
    """A public log by name.

    Raises:
        InputError: If it is unknown.
    """
    if name not in names():
        raise InputError(f"there is no public log {name!r} to download; there are: {', '.join(names())}")
    found: PublicLog = plugins.make(FAMILY, name)
    return found


def download(name: str, raw: Path, *, base: str | None = None, advance: Advance = lambda _: None) -> Fetched:
    """Fetch a log into ``raw/<name>/``; what is there already is kept.

    Args:
        name: One of ``names()``.
        raw: ``HOME/raw``.
        base: Address of a mirror, in place of the owner's; files are requested by their last name.
        advance: Called with the number of bytes that arrived.

    Raises:
        InputError: If the name is unknown.
        RecsysError: If the server cannot be reached or refuses, the hash is wrong, or an archive is unsafe.
    """
    known, folder = public_log(name), raw / name
    if folder.is_dir():
        return Fetched(folder, _names(folder), [], kept=True)
    arriving = raw / f".{name}"
    arriving.mkdir(parents=True, exist_ok=True)
    sweep(raw)
    checked = []
    for remote in known.files:
        address = remote.url if base is None else f"{base.rstrip('/')}/{remote.file}"
        fetch(address, arriving / remote.file, advance)
        if _check(arriving / remote.file, remote, address):
            checked.append(remote.file)
    with replacing(folder) as temporary:
        temporary.mkdir()
        for remote in known.files:
            if remote.file.endswith(".zip"):
                unpack(arriving / remote.file, temporary, remote.keep)
            else:
                shutil.move(arriving / remote.file, temporary / remote.file)
    remove(arriving)
    return Fetched(folder, _names(folder), checked, kept=False)


def fetch(address: str, path: Path, advance: Advance = lambda _: None) -> None:
    """Fetch one file; an earlier attempt in ``<path>.part`` is resumed if the server can.

    Raises:
        RecsysError: If the server cannot be reached, refuses, or the connection ends early.
    """
    if path.exists():
        return
    part = path.with_name(path.name + PART)
    have = part.stat().st_size if part.exists() else 0
    asked = {"Range": f"bytes={have}-"} if have else {}
    with _answer(address, asked, part) as answer:
        resumed = have > 0 and answer.status == 206
        if resumed and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            remove(part)
            raise RecsysError(f"{address} continued at the wrong place; run the same command again")
        expected = answer.headers.get("Content-Length")
        total = None if expected is None else int(expected) + (have if resumed else 0)
        advance(have if resumed else 0)
        with part.open("ab" if resumed else "wb") as file:
            _copy(answer, file, advance)
    size = part.stat().st_size
    if total is not None and size != total:
        raise RecsysError(
            f"{address} ended after {size:,} of {total:,} bytes; run the same command again to resume"
        )
    part.replace(path)


def unpack(archive: Path, folder: Path, keep: tuple[str, ...] = (), largest: int = LARGEST) -> None:
    """Unpack a zip into ``folder``, leaving out the one folder that holds everything in it.

    Args:
        archive: The zip.
        folder: Where to; exists.
        keep: Names of the only files to unpack; all of them where it is empty.
        largest: Most bytes that it may unpack to.

    Raises:
        RecsysError: If it is not a zip, or a file would be outside ``folder``, is a link, or is implausibly
            large; nothing is unpacked then.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [each for each in opened.infolist() if not each.is_dir()]
            _check_members(members, archive, largest)
            for member in members:
                name = Path(member.filename).name
                if not keep or name in keep:
                    _write(opened, member, folder / name)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        remove(archive)
        raise RecsysError(f"{archive.name} is not a whole zip file ({error}); download it again") from error


@contextmanager
def _answer(address: str, headers: dict[str, str], part: Path) -> Iterator[http.client.HTTPResponse]:
    if not address.startswith(("https://", "http://")):
        raise InputError(f"{address} is not a web address; give one that begins with https:// or http://")
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "recsys", **headers})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what is there is not a beginning of what the server has
            remove(part)
            raise RecsysError(
                f"{address} changed since the last attempt; run the same command again"
            ) from error
        raise RecsysError(
            f"{address} answers {error.code} {error.reason}; give a mirror with --base-url, or try later"
        ) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise RecsysError(
            f"{address} cannot be reached ({getattr(error, 'reason', error)}); "
            "run the same command again to resume, or give a mirror with --base-url"
        ) from error
    except OSError as error:
        raise RecsysError(
            f"cannot write {part}: {error.strerror}; free some space and run it again"
        ) from error


def _copy(answer: http.client.HTTPResponse, file: IO[bytes], advance: Advance) -> None:
    while chunk := answer.read(CHUNK):
        file.write(chunk)
        advance(len(chunk))


def _check(path: Path, remote: Remote, address: str) -> bool:
    """Compare with the hash the owner publishes; False where the owner publishes none."""
    if not remote.md5_beside:
        return False
    beside = path.with_name(path.name + ".md5")
    remove(beside)
    fetch(address + ".md5", beside)
    published = re.search(r"\b[0-9a-f]{32}\b", beside.read_text(encoding="utf-8", errors="replace").lower())
    remove(beside)
    if published is None:
        raise RecsysError(f"{address}.md5 holds no MD5; try later, or give a mirror with --base-url")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != published.group():
        remove(path)
        raise RecsysError(
            f"{address} has MD5 {found}, its owner publishes {published.group()}; the file was removed: "
            "run the same command again, or give another mirror"
        )
    return True


def _check_members(members: list[zipfile.ZipInfo], archive: Path, largest: int) -> None:
    total, limit = 0, min(largest, max(1, archive.stat().st_size) * LARGEST_RATIO)
    names: set[str] = set()
    for member in members:
        path = Path(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
            raise RecsysError(
                f"{archive.name} wants to write {member.filename!r}, outside its folder: refused"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise RecsysError(f"{archive.name} holds a link, {member.filename!r}: refused")
        if path.name in names:
            raise RecsysError(f"{archive.name} holds two files named {path.name!r}: refused")
        names.add(path.name)
        total += member.file_size
    if total > limit:
        raise RecsysError(f"{archive.name} would unpack to {total:,} bytes, more than {limit:,}: refused")


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Unpack one file; no more bytes than the archive says it has."""
    left = member.file_size
    with opened.open(member) as packed, path.open("wb") as file:
        while chunk := packed.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise RecsysError(f"{member.filename!r} is larger than its archive says: refused")
            file.write(chunk)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())

"""Which files a log is made of, and in which format each is."""

from __future__ import annotations

import glob
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from recsys.data.etl.archives import SUFFIXES, inner_name
from recsys.data.etl.options import Format
from recsys.errors import InputError
from recsys.storage.home import LONGEST_NAME, part_of_name

_BY_SUFFIX: Final = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".dat": "dat", ".data": "dat", ".txt": "txt",
}  # fmt: skip
_LOGS: Final = ("u.data", "ratings.dat", "ratings.csv")
_ITEMS: Final = {"u.data": "u.item", "ratings.dat": "movies.dat", "ratings.csv": "movies.csv"}
_USERS: Final = {"u.data": "u.user", "ratings.dat": "users.dat"}
_PAPERS: Final = ("readme", "license", "licence", "changelog", "changes", "notice", "copying", "citation")
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
READABLE: Final = "csv, tsv, parquet, jsonl, ndjson, dat, txt, each also .gz, .bz2, .xz, .zst or .zip"
STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a log.

    Args:
        path: The file.
        format: ``csv``, ``tsv``, ``parquet``, ``jsonl``, ``dat``, ``txt`` or ``adjacency``.
        chosen: Whether the user named the file itself, not its folder.
        folders: Columns given by folders named ``column=value`` (Hive partitions).
        shown: Its name in messages and in the manifest.
    """

    path: Path
    format: str
    chosen: bool
    folders: tuple[tuple[str, str | None], ...] = ()
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or str(self.path)


@dataclass(frozen=True, slots=True)
class LogFiles:
    """What a request names.

    Args:
        sources: Files of the log.
        name: What the dataset is called by default.
        items: Table of the items beside a known log.
        users: Table of the users beside a known log.
        test: Test file beside the train file in a folder.
        notes: What was guessed, as lines to print.
        left_out: Files of a folder that are not part of the log.
    """

    sources: list[Source]
    name: str
    items: Path | None = None
    users: Path | None = None
    test: Path | None = None
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def find(logs: Sequence[str], format_: Format) -> LogFiles:
    """Resolve files, globs, folders, and ``-`` for standard input.

    Raises:
        InputError: If one of them names nothing, or nothing readable.
    """
    places = [place for log in logs for place in _places(log)]
    name = "stdin" if logs[0] == STDIN else _name(places[0])
    if len(logs) == 1 and len(places) == 1:
        place = places[0]
        if place.is_dir():
            known = next((place / log for log in _LOGS if _is_known(place / log)), None)
            if known is not None:
                return _known(known, name)
            pair = _pair(place)
            if pair is not None:
                train, test = pair
                note = (
                    f"{place} holds {train.name} and {test.name}: the split that came with the data is kept"
                )
                return LogFiles([_source(train, format_, chosen=True)], name, test=test, notes=[note])
        elif place.name in _LOGS and (_is_known(place) or format_ == "movielens"):
            return _known(place, name)
    if format_ == "movielens":
        raise InputError(
            f"{places[0]} is not a MovieLens log; --format movielens takes a folder with one of: "
            f"{', '.join(_LOGS)}"
        )
    found = LogFiles([], name)
    for place in places:
        _add(found, place, format_)
    if not found.sources:
        raise InputError(f"folder {places[0]} holds nothing readable; files must be {READABLE}")
    return found


def spooled(source: Source, folder: Path) -> Source:
    """Standard input as a file in ``folder``; any other source as it is.

    Raises:
        InputError: If standard input holds nothing.
    """
    if str(source.path) != STDIN:
        return source
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if path.stat().st_size == 0:
        raise InputError("standard input is empty; pipe a log into it, or give a file")
    with path.open("rb") as file:
        head = file.read(4096).lstrip()
    guessed = "parquet" if head.startswith(b"PAR1") else "jsonl" if head.startswith(b"{") else "txt"
    format_ = source.format if source.format != "txt" else guessed
    return replace(source, path=path, format=format_, shown="standard input")


def format_of(path: Path) -> str | None:
    """Format by the extension, or None; of what is packed, by the extension within.

    Example:
        >>> format_of(Path("log.CSV.GZ")), format_of(Path("notes.md"))
        ('csv', None)
    """
    return _BY_SUFFIX.get(Path(inner_name(path)).suffix.lower())


def folder_columns(parts: Iterable[str]) -> tuple[tuple[str, str | None], ...]:
    """Columns that folder names give, as Hive and Spark write partitions.

    Example:
        >>> folder_columns(["log", "date=2024-01-31", "shop=a%20b"])
        (('date', '2024-01-31'), ('shop', 'a b'))
    """
    pairs = [part.partition("=") for part in parts]
    found = {unquote(name): unquote(value) for name, equals, value in pairs if equals and name}
    return tuple((name, None if value == _NO_VALUE else value) for name, value in found.items())


def _places(log: str) -> list[Path]:
    if log == STDIN or Path(log).exists():
        return [Path(log)]
    found = sorted(glob.glob(log, recursive=True))
    if not found:
        what = "no file matches" if glob.has_magic(log) else "there is no file or folder"
        raise InputError(f"{what} {log!r}; give a file, a folder or a quoted glob that is there")
    return [Path(path) for path in found]


def _is_known(log: Path) -> bool:
    """Whether this is a log of the MovieLens family; a ratings.csv alone could be anybody's."""
    return log.is_file() and (log.name == "u.data" or log.with_name(_ITEMS[log.name]).is_file())


def _known(log: Path, name: str) -> LogFiles:
    items, users = log.with_name(_ITEMS[log.name]), log.with_name(_USERS.get(log.name, "users.csv"))
    return LogFiles(
        [_source(log, "auto", chosen=True)],
        name,
        items if items.is_file() else None,
        users if users.is_file() else None,
    )


def _pair(folder: Path) -> tuple[Path, Path] | None:
    readable = [path for path in _readable(folder) if not _is_paper(path)]
    files = {path.name.split(".")[0]: path for path in readable}
    if set(files) == {"train", "test"} and len(readable) == 2:
        return files["train"], files["test"]
    return None


def _is_paper(path: Path) -> bool:
    """Whether a file is about a log and not part of it: README.txt, LICENSE.txt."""
    return format_of(path) == "txt" and path.name.lower().startswith(_PAPERS)


def _readable(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and format_of(path) is not None
    )


def _add(found: LogFiles, place: Path, format_: Format) -> None:
    """Add what a place holds."""
    if not place.is_dir():
        columns = folder_columns(place.parent.parts)
        found.sources.append(replace(_source(place, format_, chosen=True), folders=columns))
        return
    for path in _readable(place):
        within = path.relative_to(place)
        if _is_paper(path) or any(part.startswith("_") for part in within.parts):
            why = (
                "is about the log and not part of it"
                if _is_paper(path)
                else "has a name that Spark gives to files that are not data"
            )
            found.left_out.append(str(path))
            found.notes.append(f"left out: {path} {why}")
        else:
            columns = folder_columns(within.parent.parts)
            found.sources.append(replace(_source(path, format_, chosen=False), folders=columns))


def _source(path: Path, format_: str, *, chosen: bool) -> Source:
    guessed = format_of(path) or "txt" if format_ in ("auto", "movielens") else format_
    return Source(path, guessed, chosen)


def _name(place: Path) -> str:
    place = place.resolve()
    if place.is_dir():
        stem = place.name
    else:
        packed = place.suffix.lower() in SUFFIXES
        stem = (Path(place.stem).stem if packed else place.stem) or place.stem
    kept = "".join(each if part_of_name(each) else " " for each in unicodedata.normalize("NFC", stem))
    name = "-".join(kept.split())[:100].encode()[:LONGEST_NAME].decode(errors="ignore")
    return name.strip("-._") if name.strip("-._")[:1].isalnum() else "log"

"""Which files a log is made of, and in which format each is."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from recsys.data.etl.options import Format
from recsys.data.etl.plain import PACKED
from recsys.errors import InputError

_BY_SUFFIX: Final = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".dat": "dat", ".data": "dat", ".txt": "txt",
}  # fmt: skip
_LOGS: Final = ("u.data", "ratings.dat", "ratings.csv")
_ITEMS: Final = {"u.data": "u.item", "ratings.dat": "movies.dat", "ratings.csv": "movies.csv"}
_USERS: Final = {"u.data": "u.user", "ratings.dat": "users.dat"}
READABLE: Final = "csv, tsv, parquet, jsonl, ndjson, dat, txt, each also .gz or .zst"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a log. ``chosen`` says that the user named it, rather than the folder it lies in."""

    path: Path
    format: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a request names.

    Args:
        sources: Files of the log.
        name: What the dataset is called unless told.
        items: Table of the items that lies beside a known log.
        users: Table of the users that lies beside a known log.
        test: Test file that lies beside the train file in a folder.
        notes: What was taken for granted, for people.
    """

    sources: list[Source]
    name: str
    items: Path | None = None
    users: Path | None = None
    test: Path | None = None
    notes: list[str] = field(default_factory=list)


def find(logs: Sequence[str], format_: Format) -> Found:
    """Resolve files, globs and folders.

    Raises:
        InputError: If one of them names nothing, or nothing readable.
    """
    places = [place for log in logs for place in _places(log)]
    name = _name(places[0])
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
                return Found([_source(train, format_, chosen=True)], name, test=test, notes=[note])
        elif place.name in _LOGS and (_is_known(place) or format_ == "movielens"):
            return _known(place, name)
    if format_ == "movielens":
        raise InputError(
            f"{places[0]} is not a MovieLens log; --format movielens takes a folder with one of: "
            f"{', '.join(_LOGS)}"
        )
    return Found([source for place in places for source in _files(place, format_)], name)


def suffix_of(path: Path) -> str:
    """The suffix that tells the format: that of what is packed.

    Example:
        >>> suffix_of(Path("log.csv.gz"))
        '.csv'
    """
    return Path(path.name.removesuffix(path.suffix) if path.suffix in PACKED else path.name).suffix.lower()


def format_of(path: Path) -> str | None:
    """Format by the extension, or None."""
    return _BY_SUFFIX.get(suffix_of(path))


def _places(log: str) -> list[Path]:
    if Path(log).exists():
        return [Path(log)]
    found = sorted(glob.glob(log, recursive=True))
    if not found:
        what = "no file matches" if glob.has_magic(log) else "there is no file or folder"
        raise InputError(f"{what} {log!r}; give a file, a folder or a quoted glob that is there")
    return [Path(path) for path in found]


def _is_known(log: Path) -> bool:
    """Whether this is a log of the MovieLens family; a ratings.csv alone could be anybody's."""
    return log.is_file() and (log.name == "u.data" or log.with_name(_ITEMS[log.name]).is_file())


def _known(log: Path, name: str) -> Found:
    items, users = log.with_name(_ITEMS[log.name]), log.with_name(_USERS.get(log.name, "users.csv"))
    return Found(
        [_source(log, "auto", chosen=True)],
        name,
        items if items.is_file() else None,
        users if users.is_file() else None,
    )


def _pair(folder: Path) -> tuple[Path, Path] | None:
    files = {path.name.split(".")[0]: path for path in _readable(folder)}
    if set(files) == {"train", "test"} and len(_readable(folder)) == 2:
        return files["train"], files["test"]
    return None


def _readable(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and format_of(path) is not None
    )


def _files(place: Path, format_: Format) -> list[Source]:
    if place.is_file():
        return [_source(place, format_, chosen=True)]
    found = _readable(place)
    if not found:
        raise InputError(f"folder {place} holds nothing readable; files must be {READABLE}")
    return [_source(path, format_, chosen=False) for path in found]


def _source(path: Path, format_: str, *, chosen: bool) -> Source:
    return Source(path, (format_of(path) or "txt") if format_ in ("auto", "movielens") else format_, chosen)


def _name(place: Path) -> str:
    place = place.resolve()
    stem = place.name if place.is_dir() else place.name.removesuffix("".join(place.suffixes[-2:]))
    if not place.is_dir() and (place.suffix not in PACKED or not stem):
        stem = place.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:100] or "log"

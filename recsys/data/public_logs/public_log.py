"""What a public log is: where its owner publishes it, and on what terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

GITHUB: Final = "https://raw.githubusercontent.com/"


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch.

    Args:
        url: At the owner's.
        file: The name that it gets here, and that a mirror has it under.
        md5_beside: Whether the owner publishes its MD5 at ``<url>.md5``.
        keep: Of an archive, the only files to unpack; all where it is empty.
    """

    url: str
    file: str
    md5_beside: bool = False
    keep: tuple[str, ...] = ()


class PublicLog(Protocol):
    """A log for ``recsys download``; the first line of the documentation says what it is.

    The log is called as its file, with hyphens: ``ml_100k.py`` is ``ml-100k``.

    Attributes:
        page: The owner's page about it.
        licence: The terms in short; the page has the whole text.
        files: What to fetch.
        etl: The command to type next; ``{raw}`` is the home's ``raw`` folder, which has a folder per log.
    """

    page: ClassVar[str]
    licence: ClassVar[str]
    files: ClassVar[tuple[Remote, ...]]
    etl: ClassVar[str]

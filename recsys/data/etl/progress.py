"""Reports how far long work is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Takes how far long work is."""

    def __call__(self, label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """A context that yields ``advance(n)``."""
        ...


def no_progress(label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
    """Report no progress."""
    return nullcontext(lambda _: None)


def no_notes(text: str) -> None:
    """Drop a note."""

"""How far long work is, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Shows how far long work is."""

    def __call__(self, label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """A context that yields ``advance(n)``."""
        ...


def unseen(label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
    """Progress that nobody watches."""
    return nullcontext(lambda _: None)


def unheard(text: str) -> None:
    """Say nothing."""

"""What a pipeline says while it works; the command line prints it, tests and notebooks may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class Watcher(Protocol):
    """Told what happens, in order."""

    def stage(self, text: str) -> None:
        """A stage begins."""
        ...

    def epoch(self, label: str, number: int, total: int | None, figures: Mapping[str, float]) -> None:
        """A step of long work ended, as ``epoch 3 of 60``; ``total`` is the most there can be, if known."""
        ...

    def work(self, label: str, total: int) -> Callable[[int], None]:
        """Work of which so much is to be done begins; returns what is told that n more is done."""
        ...

    def warn(self, text: str) -> None:
        """Something a person should know, which does not stop the work."""
        ...


class Silent:
    """Says nothing."""

    def stage(self, text: str) -> None:
        """Nothing."""

    def epoch(self, label: str, number: int, total: int | None, figures: Mapping[str, float]) -> None:
        """Nothing."""

    def work(self, label: str, total: int) -> Callable[[int], None]:
        """Nothing."""
        return lambda count: None

    def warn(self, text: str) -> None:
        """Nothing."""

"""Progress of a pipeline: the command line prints it, tests and notebooks may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class Watcher(Protocol):
    """Receives the events of a pipeline, in order."""

    def stage(self, text: str) -> None:
        """A stage begins."""
        ...

    def epoch(self, label: str, number: int, total: int | None, figures: Mapping[str, float]) -> None:
        """A step of long work ended, as ``epoch 3 of 60``; ``total`` is the maximum, None if unknown."""
        ...

    def work(self, label: str, total: int) -> Callable[[int], None]:
        """Work of ``total`` units begins; returns a function to call with the number of units just done."""
        ...

    def warn(self, text: str) -> None:
        """A warning; the work continues."""
        ...


class Silent:
    """Reports nothing."""

    def stage(self, text: str) -> None:
        """Nothing."""

    def epoch(self, label: str, number: int, total: int | None, figures: Mapping[str, float]) -> None:
        """Nothing."""

    def work(self, label: str, total: int) -> Callable[[int], None]:
        """Nothing."""
        return lambda count: None

    def warn(self, text: str) -> None:
        """Nothing."""

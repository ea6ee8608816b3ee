"""What records runs: each epoch as it comes, and the finished run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from recsys.storage.run_folder import RunFolder


class Course(Protocol):
    """The record of a run while it is made. No method raises: the run goes on without its record."""

    def epoch(self, step: int, figures: Mapping[str, float]) -> None:
        """Record the figures of an epoch, counted from 1; returns at once."""
        ...

    def end(self, status: Literal["KILLED", "FAILED"] | None = None) -> None:
        """Wait, but not long, until all epochs are recorded.

        Args:
            status: How the run ended where it is not finished; None: ``Tracker.log`` comes next.
        """
        ...


class Tracker(Protocol):
    """Where runs are recorded beside their folders, which hold everything."""

    def begin(self, run: str, dataset: str, settings: Mapping[str, Any]) -> Course:
        """Begin to record a run, or go on with one that was stopped.

        Args:
            run: Name of its folder.
            dataset: Name of what it is fitted to.
            settings: Its configuration, as in ``config.yaml``.
        """
        ...

    def log(self, run: RunFolder) -> Mapping[str, Any] | None:
        """Record a finished run; None where it could not be: the run folder keeps everything."""
        ...

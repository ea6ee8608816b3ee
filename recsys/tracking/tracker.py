"""Protocols of what records runs: each epoch as it ends, and the finished run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from recsys.storage.run_folder import RunFolder


class ActiveRun(Protocol):
    """The record of a run in progress. No method raises: without a record the run continues."""

    def epoch(self, step: int, figures: Mapping[str, float]) -> None:
        """Record the figures of an epoch, counted from 1; returns at once."""
        ...

    def end(self, status: Literal["KILLED", "FAILED"] | None = None) -> None:
        """Wait, but not long, until all epochs are recorded.

        Args:
            status: How an unfinished run ended; None: it is finished, and ``Tracker.log`` comes next.
        """
        ...


class Tracker(Protocol):
    """Records runs. Their folders hold everything, with a record or without."""

    def begin(self, run: str, dataset: str, settings: Mapping[str, Any]) -> ActiveRun:
        """Begin the record of a run, or continue that of a stopped one.

        Args:
            run: Name of its folder.
            dataset: Name of the dataset it is fitted to.
            settings: Its configuration, as in ``config.yaml``.
        """
        ...

    def log(self, run: RunFolder) -> Mapping[str, Any] | None:
        """Record a finished run; None if that failed: the run folder has everything."""
        ...

"""Trackers by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from recsys.errors import InputError
from recsys.storage.home import Home
from recsys.tracking.tracker import Tracker

TRACKERS: Final = ("mlflow", "none")


def tracker(name: str, home: Home, warn: Callable[[str], None]) -> Tracker:
    """Make a tracker by its name.

    Raises:
        InputError: If there is none of that name.
    """
    if name == "none":
        from recsys.tracking.untracked import Untracked

        return Untracked(home)
    if name == "mlflow":
        from recsys.tracking.mlflow_tracker import MlflowTracker

        return MlflowTracker(home, warn)
    raise InputError(f"track is {name!r}; it can be {', '.join(TRACKERS)}")

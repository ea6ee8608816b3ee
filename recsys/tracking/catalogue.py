"""Every run there is: what MLflow has, and what only the run folders have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recsys.errors import RecsysError
from recsys.home import Home
from recsys.tracking.champion import summaries
from recsys.tracking.mlflow_tracker import MlflowTracker
from recsys.tracking.summary import Summary


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Runs, the newest first.

    Args:
        runs: All of them.
        unlogged: Names of those that MLflow does not have.
    """

    runs: list[Summary]
    unlogged: frozenset[str]


def catalogue(home: Home, tracker: MlflowTracker, warn: Callable[[str], None]) -> Catalogue:
    """Read MLflow, and the run folders for what it does not have; where it is down, the run folders alone."""
    try:
        logged = tracker.runs()
    except RecsysError as error:
        warn(f"MLflow could not be read: {error}; what follows is from the run folders in {home.runs}")
        logged = []
    names = {run.run for run in logged}
    local = [run for run in summaries(home) if run.run not in names]
    everything = sorted([*logged, *local], key=lambda run: run.created, reverse=True)
    return Catalogue(everything, frozenset(run.run for run in local))

"""All runs: the run folders of the home, and runs that only MLflow has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recsys.errors import RecsysError
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.champion import summaries
from recsys.tracking.mlflow_tracker import MlflowTracker, logged
from recsys.tracking.summary import Summary


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, the newest first.

    Args:
        runs: All of them.
        unlogged: Names of those that MLflow does not have.
    """

    runs: list[Summary]
    unlogged: frozenset[str]


def list_runs(
    home: Home, tracker: MlflowTracker, warn: Callable[[str], None], *, ask_mlflow: bool = False
) -> RunList:
    """Read the run folders, and the notes of logged runs that have no folder here.

    Args:
        home: Where they are.
        tracker: The MLflow store of the home.
        warn: Called with a message if MLflow could not be read.
        ask_mlflow: Also read the store, which takes seconds: it has runs that others logged, and lacks those
            that were deleted there.
    """
    here = summaries(home)
    names = {run.run for run in here}
    held = {
        run.run for run in here if logged(RunFolder(home.runs / run.run)).get("tracking_uri") == tracker.uri
    }
    if ask_mlflow:
        try:
            held = {run.run for run in tracker.runs()}
        except RecsysError as error:
            warn(f"MLflow could not be read: {error}; what follows is from the run folders in {home.runs}")
    everything = [*here, *tracker.ledger.read(but=names)]
    everything.sort(key=lambda run: run.created, reverse=True)
    return RunList(everything, frozenset(names - held))

"""The champion of a dataset: the run that is best on the validation set, among the runs of one split."""

from __future__ import annotations

from collections.abc import Iterable

from recsys.errors import RecsysError
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.summary import Summary


def best(runs: Iterable[Summary]) -> Summary | None:
    """The best by ndcg@10 on the validation set, on the split of the newest run; the older one of two equals.

    The test set is not used: choosing by it would make its figures too good. None if no run of that
    split has a figure on the validation set.

    Example:
        >>> def run(name: str, split: str, valid: float) -> Summary:
        ...     return Summary(name, name, "finished", "", "", split, {}, {"valid/ndcg@10": valid})
        >>> best([run("1", "a", 0.9), run("2", "b", 0.3), run("3", "b", 0.2)]).run
        '2'
    """
    finished = sorted((run for run in runs if run.status == "finished"), key=lambda run: run.created)
    if not finished:
        return None
    rivals = [run for run in finished if run.split_hash == finished[-1].split_hash and run.valid is not None]
    return max(rivals, key=lambda run: run.valid or 0.0, default=None)


def update_champions(home: Home) -> dict[str, Summary]:
    """Find the champion of each dataset among the run folders and write their names to ``champion.json``.

    A dataset has none if no run on the split of its newest run has a figure on the validation set.
    """
    of_dataset: dict[str, list[Summary]] = {}
    for run in summaries(home):
        of_dataset.setdefault(run.dataset, []).append(run)
    found = {dataset: winner for dataset, runs in of_dataset.items() if (winner := best(runs))}
    if of_dataset:
        home.set_champions({dataset: winner.run for dataset, winner in found.items()})
    return found


def summaries(home: Home) -> list[Summary]:
    """Every run folder that can be read, by name."""
    found = []
    for name in home.names("run"):
        try:
            found.append(Summary.of(RunFolder(home.runs / name)))
        except (RecsysError, KeyError):  # a broken run is left out
            continue
    return found

"""The aliases of runs, current and champion: which run of each dataset has it, one small file per alias."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import RecsysError
from recsys.storage.files import read_json, write_json


@dataclass(frozen=True, slots=True)
class RunAliases:
    """A file that holds ``{"runs": {dataset: run}}`` and maybe more.

    Before 0.2 an alias named one run for all datasets, ``{"run": run}``: read as that of its dataset.

    Args:
        path: The file; it need not exist.
        runs: Folder of the run folders.
    """

    path: Path
    runs: Path

    def record(self) -> dict[str, Any]:
        """The whole file; empty where there is none."""
        return dict(read_json(self.path)) if self.path.exists() else {}

    def of(self, dataset: str | None) -> str | None:
        """The run of a dataset that has the alias, or None."""
        record = self.record()
        name, old = record.get("runs", {}).get(dataset), record.get("run")
        if name is None and old is not None and dataset in (None, dataset_of(self.runs / old)):
            name = old
        return name if isinstance(name, str) else None

    def add(self, runs: Mapping[str, str], **more: str) -> None:
        """Give the alias to a run per dataset and write ``more`` beside; other datasets keep theirs."""
        record = self.record()
        write_json(self.path, {**record, "runs": {**record.get("runs", {}), **runs}, **more})


def dataset_of(run: Path) -> str | None:
    """Name of the dataset that the run in a folder was fitted to; None where that cannot be read."""
    try:
        return str(read_json(run / "run.json")["dataset"]["name"])
    except (RecsysError, KeyError):
        return None


def newest(runs: Iterable[Path], dataset: str | None) -> str | None:
    """Name of the run of a dataset that was made last, or None."""
    own = [run for run in runs if dataset_of(run) == dataset]
    made = {run.name: str(read_json(run / "run.json").get("created", "")) for run in own}
    return max(made, key=lambda name: made[name], default=None)

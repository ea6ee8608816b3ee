"""A blend of runs: their recipes, fitted again, so that nothing chooses on rows that it has seen.

A run folder holds a model that was fitted again on train and valid; weights chosen on the valid part with
such models would be chosen on what they have learned by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recsys.data.dataset import Dataset
from recsys.errors import InputError
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder


def recipes(runs: Sequence[str], dataset: Dataset, home: Home) -> list[dict[str, Any]]:
    """The model of each run by name and options, but for its seed: that of the blend is used.

    Raises:
        InputError: If a run does not exist, or was made on another split than the dataset's.
    """
    found = []
    for name in runs:
        of = None if name in home.names("run") else dataset.name  # whose current run or champion
        run = RunFolder(home.folder("run", name, of))
        manifest = run.manifest()
        made = manifest["dataset"]
        if made["split_hash"] != dataset.split_hash:
            raise InputError(
                f"run {run.name} was made on dataset {made['name']} (split {made['split_hash'][:12]}), which "
                f"is not dataset {dataset.name} (split {dataset.split_hash[:12]}); blend runs of one split"
            )
        model = manifest["model"]
        options = {key: value for key, value in model["options"].items() if key != "seed"}
        found.append({"name": model["name"], **options})
    return found

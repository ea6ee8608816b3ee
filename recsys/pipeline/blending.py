"""Recipes of the runs of a blend. The models are fitted again, so that no weight is chosen on training rows.

The model in a run folder was refitted on train and valid; weights chosen for it on the validation set would
be chosen on rows that it was fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recsys.data.dataset import Dataset
from recsys.errors import InputError
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder


def recipes(runs: Sequence[str], dataset: Dataset, home: Home) -> list[dict[str, Any]]:
    """Name and options of the model of each run, without its seed: that of the blend is used.

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

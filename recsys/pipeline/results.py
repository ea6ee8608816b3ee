"""A run as one JSON document."""

from __future__ import annotations

from typing import Any

from recsys.evaluation.record import BESIDE
from recsys.storage.files import read_json
from recsys.storage.run_folder import RunFolder


def result(run: RunFolder) -> dict[str, Any]:
    """What ``recsys train --json`` prints."""
    manifest = run.manifest()
    mirrored = run.path / "mlflow.json"
    keys = (
        "run",
        "dataset",
        "model",
        "refit",
        "metrics",
        "intervals",
        "valid",
        "baselines",
        "best_baseline",
        "counts",
        "index",
        "seconds",
    )
    beside = {key: manifest[key] for key in (*BESIDE, "cannot_fold_in") if key in manifest}
    return (
        {key: manifest.get(key) for key in keys}
        | beside
        | {"mlflow": read_json(mirrored) if mirrored.exists() else None}
    )

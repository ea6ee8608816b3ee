"""Epochs of a fit: one line each in the run folder, shown and recorded as they end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.pipeline.progress import Watcher
from recsys.tracking.tracker import ActiveRun


@dataclass(frozen=True, slots=True)
class Epochs:
    """A ``Report``: appends ``{"epoch": 1, "loss": ..., ...}`` to a JSON-lines file; epoch 0 is a trial.

    A resumed run may report an epoch again; readers take the last line of each.
    """

    path: Path
    label: str
    total: int | None
    watch: Watcher
    active: ActiveRun

    def __call__(self, step: int, figures: Mapping[str, float]) -> None:
        """Record one epoch, counted from 1."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": step, **figures}) + "\n")
        self.watch.epoch(self.label, step, self.total, figures)
        if step > 0:
            self.active.epoch(step, figures)


def read_epochs(path: Path) -> list[dict[str, float]]:
    """The last line of each epoch, in order; none where the model has no epochs."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [line for epoch, line in sorted({line["epoch"]: line for line in lines}.items()) if epoch > 0]

"""The course of fitting: a line an epoch in the run folder, and told to whoever watches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.pipeline.progress import Watcher


@dataclass(frozen=True, slots=True)
class Epochs:
    """A ``Report``: appends ``{"epoch": 1, "loss": ..., ...}`` to a JSON-lines file.

    A run that was resumed may tell of an epoch again; readers take the last line of each.
    """

    path: Path
    label: str
    total: int | None
    watch: Watcher

    def __call__(self, step: int, figures: Mapping[str, float]) -> None:
        """Note one epoch, counted from 1."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": step, **figures}) + "\n")
        self.watch.epoch(self.label, step, self.total, figures)


def read_epochs(path: Path) -> list[dict[str, float]]:
    """The last line of each epoch, in order; none where the model has no epochs."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [line for _, line in sorted({line["epoch"]: line for line in lines}.items())]

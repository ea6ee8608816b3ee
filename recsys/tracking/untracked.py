"""The tracker ``none``: no record beside the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.champion import update_champions


@dataclass(frozen=True, slots=True)
class Untracked:
    """A tracker that records nothing; the champion of the dataset is chosen all the same.

    Args:
        home: Where the run folders are.
    """

    home: Home

    def begin(self, run: str, dataset: str, settings: Mapping[str, Any]) -> Untracked:
        """Nothing begins."""
        return self

    def epoch(self, step: int, figures: Mapping[str, float]) -> None:
        """Nothing is recorded."""

    def end(self, status: Literal["KILLED", "FAILED"] | None = None) -> None:
        """Nothing ends."""

    def log(self, run: RunFolder) -> None:
        """Choose the champion anew."""
        update_champions(self.home)

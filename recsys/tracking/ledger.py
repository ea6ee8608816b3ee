"""Runs that MLflow is known to hold, noted beside the run folders; reading the notes needs no MLflow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from recsys.errors import RecsysError
from recsys.storage.files import read_json, remove, write_json
from recsys.storage.home import Home
from recsys.tracking.summary import Summary


@dataclass(frozen=True, slots=True)
class Ledger:
    """``HOME/logged/<run>.json``, one for each run logged or seen in MLflow; it outlives the run folder.

    Args:
        home: Where it is.
        uri: The MLflow store; notes of another store are skipped.
    """

    home: Home
    uri: str

    @property
    def folder(self) -> Path:
        """Folder of the notes."""
        return self.home.path / "logged"

    def add(self, run: Summary) -> None:
        """Note that the store has a run."""
        write_json(self._file(run.run), {"tracking_uri": self.uri, **asdict(run)})

    def replace(self, runs: Iterable[Summary]) -> None:
        """Note all runs of the store; notes of other runs are removed."""
        held = {run.run: run for run in runs}
        for run in held.values():
            self.add(run)
        for noted in self.read():
            if noted.run not in held:
                remove(self._file(noted.run))

    def read(self, but: Iterable[str] = ()) -> list[Summary]:
        """The runs that the store is known to have, without those in ``but``; by name."""
        names = sorted({path.stem for path in self.folder.glob("*.json")} - set(but))
        return [run for name in names if (run := self._noted(name))]

    def _noted(self, name: str) -> Summary | None:
        try:
            noted = read_json(self._file(name))
            return Summary(**noted) if noted.pop("tracking_uri") == self.uri else None
        except (RecsysError, KeyError, TypeError):  # a broken note is skipped
            return None

    def _file(self, run: str) -> Path:
        return self.folder / f"{run}.json"

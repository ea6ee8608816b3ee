"""Where datasets and runs live, and which of them is current."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from recsys.errors import InputError
from recsys.storage.files import read_json, write_json
from recsys.storage.run_aliases import RunAliases, dataset_of, newest

Kind = Literal["dataset", "run"]
# The last file that is written of a run: a folder without it is not a run yet.
SEAL = "files.json"
LONGEST_NAME = 200  # bytes; temporary names add to it, and file systems take 255


@dataclass(frozen=True, slots=True)
class Home:
    """A folder with ``datasets/<name>/``, ``runs/<run>/``, ``raw/<log>/`` and the names of what is current.

    ``current.json`` names the current dataset and the current run of each dataset, ``champion.json`` the best
    run of each.
    """

    path: Path

    @classmethod
    def default(cls) -> Home:
        """``RECSYS_HOME``, else ``./data``."""
        return cls(Path(os.environ.get("RECSYS_HOME") or "data"))

    @property
    def raw(self) -> Path:
        """Downloaded raw logs."""
        return self.path / "raw"

    @property
    def datasets(self) -> Path:
        """One folder per dataset."""
        return self.path / "datasets"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.path / "runs"

    def names(self, kind: Kind) -> list[str]:
        """Names of what is complete, sorted."""
        folder, manifest = (self.datasets, "manifest.json") if kind == "dataset" else (self.runs, SEAL)
        return sorted(
            path.parent.name for path in folder.glob(f"*/{manifest}") if not path.parent.name.startswith(".")
        )

    def current(self, kind: Kind, dataset: str | None = None) -> str | None:
        """Name of the current dataset, or of the current run of ``dataset`` (the current one); or None."""
        if kind == "dataset":
            name = self._current.record().get("dataset")
            return name if isinstance(name, str) else None
        dataset = dataset or self.current("dataset")
        return self._current.of(dataset) or newest(map(self.runs.joinpath, self.names("run")), dataset)

    def set_current(self, kind: Kind, name: str) -> None:
        """Make ``name`` the current one; with a run, its dataset too.

        Raises:
            RecsysError: If the run cannot be read.
        """
        dataset = name if kind == "dataset" else read_json(self.runs / name / "run.json")["dataset"]["name"]
        self._current.add({} if kind == "dataset" else {dataset: name}, dataset=dataset)

    def champion(self, dataset: str | None = None) -> str | None:
        """Name of the run of ``dataset`` (the current one) that is best on the validation set, or None.

        See ``recsys.tracking.champion``.
        """
        return self._champion.of(dataset or self.current("dataset"))

    def set_champions(self, runs: Mapping[str, str]) -> None:
        """Make one run the champion of each dataset named; other datasets have none."""
        write_json(self._champion.path, {"runs": dict(runs)})

    def folder(self, kind: Kind, name: str | None, dataset: str | None = None) -> Path:
        """Folder of a complete dataset or run; the current one where ``name`` is None or ``current``.

        ``champion`` is the run that is best on the validation set. Both are of ``dataset``, by default of the
        current one; a run that is named must be of ``dataset`` where that is given.

        Raises:
            InputError: If there is none, or none of that name.
        """
        if kind == "run":
            return self._run(name or "current", dataset)
        name = self.current("dataset") if name in (None, "current") else name
        if name is None:
            raise InputError(
                f"there is no dataset in {self.path} yet; make one with `recsys etl LOG`, or give --home"
            )
        return self._known("dataset", name)

    def _run(self, name: str, dataset: str | None) -> Path:
        known = self.names("run")
        if name in known:  # also where a run is called champion
            own = dataset_of(self.runs / name)
            if dataset not in (None, own):
                raise InputError(f"run {name} is of dataset {own}, not of {dataset}; leave --dataset out")
        elif name in ("current", "champion"):
            found = self.current("run", dataset) if name == "current" else self.champion(dataset)
            name = found or self._missing(name, dataset)
        return self._known("run", name)

    def _missing(self, mark: str, dataset: str | None) -> NoReturn:
        """No run has the mark: say for which dataset, and what there is instead."""
        others = sorted({dataset_of(self.runs / run) or "" for run in self.names("run")} - {"", dataset})
        if dataset is not None and dataset not in self.names("dataset"):
            self._known("dataset", dataset)
        dataset = dataset or self.current("dataset")
        of, make = (f" of dataset {dataset}", f" --dataset {dataset}") if dataset else ("", "")
        if mark == "champion":
            raise InputError(
                f"there is no champion{of} in {self.path} yet: no run has a figure on a validation set; "
                f"name a run with --run, or make one with `recsys train{make}` on a dataset with --valid"
            )
        instead = f"--dataset ({', '.join(others)})" if others else "--home"
        raise InputError(
            f"there is no run{of} in {self.path} yet; make one with `recsys train{make}`, or give {instead}"
        )

    def _known(self, kind: Kind, name: str) -> Path:
        known = self.names(kind)
        if name not in known:
            make = "recsys etl LOG" if kind == "dataset" else "recsys train"
            more = f" and {len(known) - 10} more" if len(known) > 10 else ""
            shown = ", ".join(known[:10]) + more or "none"
            raise InputError(
                f"there is no {kind} {name!r} in {self.path}; there are: {shown}; make one with `{make}`"
            )
        return (self.datasets if kind == "dataset" else self.runs) / name

    @property
    def _current(self) -> RunAliases:
        return RunAliases(self.path / "current.json", self.runs)

    @property
    def _champion(self) -> RunAliases:
        return RunAliases(self.path / "champion.json", self.runs)


def part_of_name(character: str) -> bool:
    """Whether a name may hold a character: a letter, mark or digit of any script, or ``.``, ``_``, ``-``."""
    return character in "._-" or unicodedata.category(character)[0] in "LMN"


def checked_name(name: str) -> str:
    """A name that is safe as a folder on any system: letters of any script, digits, ``.``, ``_`` and ``-``.

    Raises:
        InputError: If it is not, or is too long for a file system.
    """
    letters = all(part_of_name(character) for character in name)
    first = name[:1]
    if not letters or not first.isalnum() or len(name) > 100 or len(name.encode()) > LONGEST_NAME:
        raise InputError(
            f"{name!r} cannot be a name; use at most 100 letters, digits, '.', '_' and '-' "
            f"({LONGEST_NAME} bytes), and begin with a letter or digit; give another with --name"
        )
    return name

"""Where datasets and runs live, and which of them is current."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.errors import InputError
from recsys.files import read_json, write_json

Kind = Literal["dataset", "run"]
# The last file that is written of a run: a folder without it is not a run yet.
SEAL = "files.json"
LONGEST_NAME = 200  # bytes; temporary names add to it, and file systems take 255


@dataclass(frozen=True, slots=True)
class Home:
    """A folder with ``datasets/<name>/``, ``runs/<run>/``, ``raw/<log>/`` and the names of what is current.

    ``current.json`` names the current dataset and run, ``champion.json`` the best run.
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
        """One folder a dataset."""
        return self.path / "datasets"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.path / "runs"

    def names(self, kind: Kind) -> list[str]:
        """Names of what is complete, sorted."""
        folder, manifest = (self.datasets, "manifest.json") if kind == "dataset" else (self.runs, SEAL)
        return sorted(
            path.parent.name for path in folder.glob(f"*/{manifest}") if not path.parent.name.startswith(".")
        )

    def current(self, kind: Kind) -> str | None:
        """Name of the current dataset or run, or None."""
        path = self.path / "current.json"
        name = read_json(path).get(kind) if path.exists() else None
        return name if isinstance(name, str) else None

    def set_current(self, kind: Kind, name: str) -> None:
        """Make ``name`` the current one."""
        path = self.path / "current.json"
        write_json(path, {**(read_json(path) if path.exists() else {}), kind: name})

    def champion(self) -> str | None:
        """Name of the run that is best on the valid part, or None; see ``recsys.tracking.champion``."""
        path = self.path / "champion.json"
        name = read_json(path).get("run") if path.exists() else None
        return name if isinstance(name, str) else None

    def set_champion(self, name: str) -> None:
        """Make the run ``name`` the champion."""
        write_json(self.path / "champion.json", {"run": name})

    def folder(self, kind: Kind, name: str | None) -> Path:
        """Folder of a complete dataset or run; the current one where ``name`` is None or ``current``.

        ``champion`` is the run that is best on the valid part.

        Raises:
            InputError: If there is none, or none of that name.
        """
        make = "recsys etl LOG" if kind == "dataset" else "recsys train"
        if name is None or name == "current":
            name = self.current(kind)
            if name is None:
                raise InputError(
                    f"there is no {kind} in {self.path} yet; make one with `{make}`, or give --home"
                )
        known = self.names(kind)
        if name == "champion" and kind == "run" and name not in known:
            name = self.champion()
            if name is None:
                raise InputError(
                    f"there is no champion in {self.path} yet: no run has a figure on a valid part; "
                    f"name a run with --run, or make one with `{make}` on a dataset with --valid"
                )
        if name not in known:
            shown = (
                ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "") or "none"
            )
            raise InputError(
                f"there is no {kind} {name!r} in {self.path}; there are: {shown}; make one with `{make}`"
            )
        return (self.datasets if kind == "dataset" else self.runs) / name


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

"""What a run needs to be served elsewhere: its sealed files, and the packages that answering takes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from recsys.embeddings import Stored
from recsys.files import TEMPORARY
from recsys.home import SEAL
from recsys.run_folder import UNSEALED, RunFolder


@contextmanager
def staged(run: RunFolder) -> Iterator[Path]:
    """The sealed files of a run in a folder of their own, linked where the file system can."""
    with tempfile.TemporaryDirectory() as folder:
        sealed = Path(folder) / "run"
        shutil.copytree(run.path, sealed, ignore=_unserved, copy_function=_link)
        yield sealed


def some_users(run: RunFolder) -> list[str]:
    """Two of the run's users, as an example of what to ask."""
    users = Stored.open(run.model).user_ids
    return users.take(range(min(2, len(users))))


def requirements(run: RunFolder) -> list[str]:
    """What answering takes, at the versions it was tested with here; nothing is looked up."""
    kind = (run.manifest().get("index") or {}).get("kind")
    names = ["mlflow", "numpy", "pandas", *(["annoy"] if kind == "annoy" else [])]
    return [f"{name}=={version(name)}" for name in names]


def _unserved(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (name in UNSEALED and name != SEAL) or TEMPORARY in name]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)

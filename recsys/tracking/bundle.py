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
from recsys.storage.files import TEMPORARY
from recsys.storage.home import SEAL
from recsys.storage.run_folder import UNSEALED, RunFolder


@contextmanager
def staged(run: RunFolder) -> Iterator[Path]:
    """The sealed files of a run in a folder of their own, linked where the file system can."""
    with tempfile.TemporaryDirectory() as folder:
        sealed = Path(folder) / "run"
        shutil.copytree(run.path, sealed, ignore=_unserved, copy_function=_link)
        yield sealed


def example(run: RunFolder) -> dict[str, list[object]]:
    """What may be asked, as columns: for a user of the run, and for someone by their history."""
    model = Stored.open(run.model)
    items: list[object] = [*model.item_ids.take(range(min(2, len(model.item_ids))))]
    return {"user": [model.user_ids[0], None], "history": [None, items[:1]], "exclude": [None, items[1:]]}


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

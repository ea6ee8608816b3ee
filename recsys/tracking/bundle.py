"""A run as an MLflow model: its sealed files, this package, and its requirements."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from recsys import plugins
from recsys.embeddings import Stored
from recsys.retrieval.index.store import EXACT
from recsys.storage.files import TEMPORARY
from recsys.storage.home import SEAL
from recsys.storage.run_folder import UNSEALED, RunFolder


def save_pyfunc(run: RunFolder, folder: Path, described: Any = None) -> None:
    """Write a run as an MLflow model: the sealed files of the run, and the code of this package."""
    import pandas as pd
    from mlflow import models, pyfunc, types

    # An id may be text or a number, and a history a list or text: MLflow converts nothing of type Any.
    anything = types.schema.AnyType()
    text, whole, real = types.DataType.string, types.DataType.long, types.DataType.double
    outputs = (("user", text), ("item", text), ("rank", whole), ("score", real), ("title", text))
    signature = models.ModelSignature(
        inputs=types.Schema(
            [types.ColSpec(anything, name, required=False) for name in ("user", "history", "exclude")]
        ),
        outputs=types.Schema(
            [types.ColSpec(kind, name, required=name not in ("user", "title")) for name, kind in outputs]
        ),
        params=types.ParamSchema(
            [types.ParamSpec("k", whole, 10), types.ParamSpec("unknown", text, "popular")]
        ),
    )
    with staged(run) as sealed:
        pyfunc.save_model(
            folder,
            mlflow_model=described,
            python_model=str(Path(__file__).with_name("pyfunc.py")),
            artifacts={"run": str(sealed)},
            code_paths=[str(Path(__file__).parents[1])],
            signature=signature,
            input_example=pd.DataFrame(example(run)),
            pip_requirements=requirements(run),
        )
    for compiled in folder.rglob("__pycache__"):
        shutil.rmtree(compiled)


@contextmanager
def staged(run: RunFolder) -> Iterator[Path]:
    """The sealed files of a run in a folder of their own, linked where the file system can."""
    with tempfile.TemporaryDirectory() as folder:
        sealed = Path(folder) / "run"
        shutil.copytree(run.path, sealed, ignore=_unserved, copy_function=_link)
        yield sealed


def example(run: RunFolder) -> dict[str, list[object]]:
    """Example of an input, as columns: a user of the run, and a history."""
    model = Stored.open(run.model)
    items: list[object] = [*model.item_ids.take(range(min(2, len(model.item_ids))))]
    return {"user": [model.user_ids[0], None], "history": [None, items[:1]], "exclude": [None, items[1:]]}


def requirements(run: RunFolder) -> list[str]:
    """Packages that predicting needs, at the versions installed; no registry is asked."""
    kind = (run.manifest().get("index") or {}).get("kind", EXACT)
    names = ["mlflow", "numpy", "pandas", plugins.part("indexes", kind).constants.get("package")]
    return [f"{name}=={version(name)}" for name in names if name is not None]


def _unserved(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (name in UNSEALED and name != SEAL) or TEMPORARY in name]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)

"""The state of a fit after an epoch, written whole or not at all; a resumed fit gives the same bytes.

Random numbers are derived from the seed and the number of the epoch, so no generator is part of the state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from recsys.choosing import Judgement
from recsys.errors import InputError
from recsys.learning.training.tables import Tables
from recsys.storage import arrays
from recsys.storage.files import read_json, replacing, sweep, write_json

FOLDER: Final = "epoch"


@dataclass(slots=True)
class State:
    """The state of a fit.

    Args:
        epoch: Epochs done.
        best_epoch: The epoch of the best validation value so far, 0 if there was none.
        best_value: That value, as the judge gave it.
        best: Its vectors.
        done: Whether the last epoch left nothing to learn.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_value: float = float("-inf")
    best: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    done: bool = False


def save(folder: Path, state: State, tables: Tables, fingerprint: str) -> None:
    """Save the state in ``folder``, replacing the previous one."""
    with replacing(folder / FOLDER) as temporary:
        temporary.mkdir(parents=True)
        named = {f"best.{name}": vectors for name, vectors in state.best.items()}
        for name, table in tables.tables.items():
            named[f"table.{name}.weights"] = table.weights.cpu().numpy()
            named |= {f"table.{name}.{key}": values.cpu().numpy() for key, values in table.state.items()}
        if isinstance(state.best_value, Judgement):
            named["best_value"] = state.best_value.per_user
        arrays.save(temporary / "arrays.safetensors", named)
        best = state.best_value if state.best_epoch else None
        figures = {"epoch": state.epoch, "best_epoch": state.best_epoch, "best_value": best}
        figures["done"] = state.done
        write_json(temporary / "state.json", {"fingerprint": fingerprint, **figures})


def load(folder: Path, tables: Tables, fingerprint: str) -> State:
    """Load the saved state into ``tables``; the initial state if none is saved.

    Raises:
        InputError: If it was saved by a fit with other options or on other data.
        RecsysError: If a file is broken.
    """
    sweep(folder)
    if not (folder / FOLDER).is_dir():
        return State()
    kept = read_json(folder / FOLDER / "state.json")
    if kept.pop("fingerprint") != fingerprint:
        raise InputError(
            f"{folder} holds the state of a fit with other options or on other data; "
            "resume with the options it was started with, or start a new run"
        )
    named = arrays.load(folder / FOLDER / "arrays.safetensors")
    for name, table in tables.tables.items():
        for key, tensor in {"weights": table.weights, **table.state}.items():
            tensor.copy_(torch.from_numpy(np.array(named[f"table.{name}.{key}"])))
    best = {
        name.removeprefix("best."): np.array(value)
        for name, value in named.items()
        if name.startswith("best.")
    }
    if kept["best_value"] is None:
        kept["best_value"] = float("-inf")
    if "best_value" in named:
        kept["best_value"] = Judgement(np.array(named["best_value"]))
    return State(**kept, best=best)

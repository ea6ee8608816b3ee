"""The fixed splits that papers print, read from where the real logs are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.errors import InputError
from recsys.storage.home import Home

FILES: Final = {
    "gowalla": "txt",
    "movielens1m_m1": "txt",
    "ir-amazon2014-electronic": "tsv",
    "ir-amazon2014-health": "tsv",
}


def realdata(name: str) -> Path:
    """A real log: its folder, or a file in it.

    Raises:
        InputError: If it is not there.
    """
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("RECSYS_REALDATA") or default) / name
    if not path.exists():
        log = name.partition("/")[0]
        raise InputError(f"there is no {path}; set RECSYS_REALDATA to the folder that holds {log}/")
    return path


def dataset(split: str) -> Dataset:
    """The split as a dataset of the default home; a tenth of train is held out for choices.

    Raises:
        InputError: If the split is unknown or its files are not there.
    """
    if split not in FILES:
        raise InputError(f"unknown split {split!r}; there are: {', '.join(FILES)}")
    train = realdata(f"{split}/train.{FILES[split]}")
    test = train.with_stem("test")
    home = Home.default()
    name = f"bench-{split}"
    if name in home.names("dataset"):
        return Dataset.open(home, name)
    return etl(EtlOptions(logs=[str(train)], test=str(test), name=name), home)

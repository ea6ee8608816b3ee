"""Logs split as in the LightGCN paper and those after it: a train and a test file of adjacency lists."""

from __future__ import annotations

from typing import Final

from recsys.data.public_logs.public_log import GITHUB, Remote

PAGE: Final = "https://github.com/kuandeng/LightGCN"
TERMS: Final = "the authors of the split state no licence; it is used for research; the original is "


def files(name: str) -> tuple[Remote, ...]:
    """The two files of a log."""
    folder = f"{GITHUB}kuandeng/LightGCN/master/Data/{name}/"
    return tuple(Remote(folder + file, file) for file in ("train.txt", "test.txt"))


def etl(name: str) -> str:
    """The command that reads both."""
    here = f"{{raw}}/{name}"
    return f"recsys etl {here}/train.txt --test {here}/test.txt --format adjacency --name {name}"

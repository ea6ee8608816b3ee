"""What an index is: items near a vector, best first; and what a kind of index says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from recsys.ragged import Ragged
from recsys.storage.arrays import Codes, FloatArray


class Index(Protocol):
    """Item vectors that can be asked for the nearest of a vector: a part that ``--index`` takes by name.

    Its class variables say what it needs; all but ``exact`` may be left out:

    * ``exact``: whether the lists are the true ones; the recall of others is measured.
    * ``metrics``: the ``index_metric`` of the distances that it takes; all distances where left out.
    * ``package``: what has to be installed.

    A kind that can be searched more or less is ``Searchable``; one that is kept in a file is ``Filed``, and
    others are built from the vectors whenever a run is opened. An option ``seed`` is set where there is one.
    """

    exact: ClassVar[bool]
    distance: str

    def build(self, items: FloatArray) -> Self:
        """Take item vectors (I, D); returns the index itself."""
        ...

    def query(self, vectors: FloatArray, k: int, exclude: Ragged | None = None) -> tuple[Codes, FloatArray]:
        """The k best items for each vector, best first; equal scores by code.

        Args:
            vectors: (n, D) user (or item) vectors.
            k: Length of a list, at least 1.
            exclude: A row for each vector: items that may not be listed.

        Returns:
            Codes (n, k) i32 and scores (n, k) f32 as the distance defines them; where fewer than k items
            remain, the rest is -1 and -inf.
        """
        ...


@runtime_checkable
class Searchable(Protocol):
    """An index that trades time for recall, so that a setting is chosen for it (``tuning``).

    * ``builds``: options to build with, the cheapest first.
    * ``search``: the option of a query that trades time for recall, and the least value to try; at the
      number of items the lists are the true ones.
    """

    builds: ClassVar[tuple[Mapping[str, int], ...]]
    search: ClassVar[tuple[str, int]]

    def with_search(self, value: int) -> Self:
        """The same index, asked with another value."""
        ...


@runtime_checkable
class Filed(Protocol):
    """An index that is kept in one file, which the manifest beside it describes.

    * ``file``: its name.
    """

    file: ClassVar[str]

    def describe(self) -> Mapping[str, Any]:
        """What the manifest keeps for ``load``, as plain JSON values."""
        ...

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            OSError: If it cannot be written.
        """
        ...

    def load(self, path: Path, items: FloatArray, described: Mapping[str, Any]) -> Self:
        """Open a file that was saved for these items; its bytes and theirs have been checked.

        Args:
            path: The file.
            items: (I, D).
            described: The manifest, with what ``describe`` gave when it was saved.

        Raises:
            RecsysError: If it cannot be opened, or is not of these items.
        """
        ...

"""Vectors of users and items and the distance between them: what every model that can be served ends in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from recsys import plugins
from recsys.errors import InputError, RecsysError
from recsys.storage import arrays
from recsys.storage.arrays import FloatArray, IntArray
from recsys.storage.files import read_json, write_json
from recsys.storage.string_column import TextColumn

if TYPE_CHECKING:
    from recsys.ids import IdMap

MANIFEST: Final = "embeddings.json"
VECTORS: Final = "vectors.safetensors"
IDS: Final = "ids.safetensors"
SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class FoldIn:
    """How a history becomes the vector of an unseen user.

    ``mean``: mean of the history's item vectors, for models with a free vector per user (an approximation).
    ``sum``: the model's own user tower, ``sum(d_i inputs[i]) / sum(d_i) ** power``, where the decay d_i is 1
    or halves with every ``position`` items that are newer, over the newest ``longest`` or all; exact, but for
    a tower that decays with time, as a history at serving has no times.
    ``least_squares``: implicit ALS with the items held, options ``alpha`` and ``regularization``; exact.
    """

    name: str = "mean"
    options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Users and items in one space, and the distance that orders them. A ``Scorer``.

    Args:
        users: (U, D) float32, finite.
        items: (I, D) float32, finite.
        user_ids: U raw ids.
        item_ids: I raw ids.
        distance: Name of a part in ``recsys/learning/distances``; similarity is higher for nearer.
        inputs: (I, D) float32 input vectors of the items where a user is a sum over them, else None.
        fold_in: How an unseen user's history becomes a vector.

    Raises:
        InputError: If shapes do not match the ids or each other, or the distance is unknown.
        RecsysError: If a vector is not finite.
    """

    users: FloatArray
    items: FloatArray
    user_ids: IdMap
    item_ids: IdMap
    distance: str
    inputs: FloatArray | None = None
    fold_in: FoldIn = field(default_factory=FoldIn)

    def __post_init__(self) -> None:
        plugins.part("distances", self.distance)
        named = [("users", self.users, len(self.user_ids)), ("items", self.items, len(self.item_ids))]
        if self.inputs is not None:
            named.append(("inputs", self.inputs, len(self.item_ids)))
        for name, vectors, count in named:
            if vectors.ndim != 2 or vectors.shape != (count, self.items.shape[1]):
                raise InputError(
                    f"{name} have shape {vectors.shape}; {count} ids need ({count}, {self.items.shape[1]})"
                )
            if not np.isfinite(vectors).all():
                raise RecsysError(
                    f"{name} hold {int((~np.isfinite(vectors)).sum())} values that are not finite; "
                    "train again with a lower rate"
                )

    @property
    def dim(self) -> int:
        """Number of dimensions D."""
        return int(self.items.shape[1])

    def scores(self, users: IntArray) -> FloatArray:
        """Similarity of users (n,) with all items -> (n, I)."""
        matrix = plugins.make("distances", self.distance).matrix(self.users[users], self.items)
        return np.asarray(matrix, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write vectors, ids and a manifest into ``folder``: arrays and JSON, never code."""
        extra = {} if self.inputs is None else {"inputs": self.inputs}
        arrays.save(folder / VECTORS, {"users": self.users, "items": self.items, **extra})
        ids = {
            **TextColumn.of(self.user_ids.ids).arrays("users"),
            **TextColumn.of(self.item_ids.ids).arrays("items"),
        }
        arrays.save(folder / IDS, ids)
        write_json(folder / MANIFEST, {
            "schema": SCHEMA,
            "distance": self.distance,
            "users": len(self.user_ids), "items": len(self.item_ids), "dim": self.dim,
            "fold_in": {"name": self.fold_in.name, "options": dict(self.fold_in.options)},
        })  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> Embeddings:
        """Read what ``save`` wrote.

        Raises:
            RecsysError: If a file is missing, cut off, of another schema, or disagrees with the manifest.
        """
        import polars as pl

        from recsys.ids import IdMap

        stored = Stored.open(folder)
        users, items = (
            IdMap(pl.Series("id", column.take(range(len(column))), dtype=pl.String))
            for column in (stored.user_ids, stored.item_ids)
        )
        return cls(stored.users, stored.items, users, items, stored.distance, stored.inputs, stored.fold_in)


@dataclass(frozen=True, slots=True)
class Stored:
    """Saved embeddings, memory-mapped: what serving needs, without polars or torch."""

    users: FloatArray
    items: FloatArray
    user_ids: TextColumn
    item_ids: TextColumn
    distance: str
    inputs: FloatArray | None
    fold_in: FoldIn

    @classmethod
    def open(cls, folder: Path) -> Stored:
        """Map the files in ``folder``; see ``Embeddings.load`` for the errors."""
        manifest: dict[str, Any] = read_json(folder / MANIFEST)
        if manifest.get("schema") != SCHEMA:
            raise RecsysError(
                f"{folder / MANIFEST} has schema {manifest.get('schema')!r}, "
                f"this version reads {SCHEMA}; train again"
            )
        vectors, ids = arrays.load(folder / VECTORS), arrays.load(folder / IDS)
        users, items = TextColumn.from_arrays(ids, "users"), TextColumn.from_arrays(ids, "items")
        for name, column in (("users", users), ("items", items)):
            expected = (manifest[name], manifest["dim"])
            if vectors[name].shape != expected or len(column) != manifest[name]:
                raise RecsysError(
                    f"{folder}: the manifest says {name} {expected}, "
                    f"the files hold {vectors[name].shape} and {len(column)} ids"
                )
        fold_in = FoldIn(manifest["fold_in"]["name"], manifest["fold_in"]["options"])
        return cls(
            vectors["users"],
            vectors["items"],
            users,
            items,
            manifest["distance"],
            vectors.get("inputs"),
            fold_in,
        )

"""A dataset on disk: checked tables in parquet, and the manifest that says how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys.data.features import Features
from recsys.errors import RecsysError
from recsys.storage.files import read_json, sha256
from recsys.storage.home import Home

if TYPE_CHECKING:
    import polars as pl

    from recsys.data.tables import Split

SCHEMA: Final = 1
MANIFEST: Final = "manifest.json"
PARTS: Final = ("train", "valid", "test")
KNOWN: Final = "known"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What ``recsys etl`` made.

    ::

        datasets/<name>/manifest.json       options, sources, counts that add up, hashes
                        train.parquet       user, item text; time i64 microseconds; weight f32
                        valid.parquet, test.parquet
                        known.parquet       as train: rows that --positive-from left out, so known and not
                                            liked; only where there are some
                        items.parquet       item, title, ...; only where it was given
                        users.parquet       user, ...; only where it was given
                        rejects.parquet     file, line, reason, text of each row that could not be used

    Args:
        folder: Its folder.
        manifest: ``manifest.json``.
    """

    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, home: Home, name: str | None = None) -> Dataset:
        """Open a dataset by name; the current one where ``name`` is None.

        Raises:
            InputError: If there is none, or none of that name.
            RecsysError: If its manifest is broken or of another schema.
        """
        return cls.at(home.folder("dataset", name))

    @classmethod
    def at(cls, folder: Path) -> Dataset:
        """Open the dataset in ``folder``."""
        manifest: dict[str, Any] = read_json(folder / MANIFEST)
        if manifest.get("schema") != SCHEMA:
            raise RecsysError(
                f"{folder / MANIFEST} has schema {manifest.get('schema')!r}, this version reads {SCHEMA}; "
                "run `recsys etl` again"
            )
        return cls(folder, manifest)

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return self.folder.name

    @property
    def hash(self) -> str:
        """Identifies the kept rows, whatever their order and their part."""
        return str(self.manifest["hash"])

    @property
    def split_hash(self) -> str:
        """Identifies which row is in which part."""
        return str(self.manifest["split_hash"])

    @property
    def side_hash(self) -> str:
        """Identifies what is known beside the interactions: pairs not liked, users, items; empty without."""
        files = [self.folder / f"{name}.parquet" for name in (KNOWN, "users", "items")]
        return " ".join(f"{file.stem} {sha256(file)}" for file in files if file.exists())

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from recsys import notebook

        return notebook.dataset(self.manifest)

    def split(self) -> Split:
        """Read train, valid, test and what is known beside them into memory."""
        from recsys.data.tables import Split

        train, valid, test = (self._table(part) for part in PARTS)
        return Split(train, valid, test, self.known())

    def known(self) -> pl.DataFrame:
        """Rows below ``--positive-from``: pairs known and not liked; the weight is the value.

        No pair of train, valid or test is among them.
        """
        import polars as pl

        from recsys.columns import ITEM, TIME, USER, WEIGHT
        from recsys.data.tables import RAW_SCHEMA

        if not (self.folder / f"{KNOWN}.parquet").exists():
            return pl.DataFrame(schema=RAW_SCHEMA)
        newest_last = self._table(KNOWN).cast(RAW_SCHEMA).sort(USER, ITEM, TIME, WEIGHT)
        rows = newest_last.unique([USER, ITEM], keep="last", maintain_order=True)
        for part in PARTS:
            rows = rows.join(self._table(part), on=[USER, ITEM], how="anti", maintain_order="left")
        return rows

    def items(self) -> pl.DataFrame | None:
        """What is known about the items: item, title, ...; None where nothing was given."""
        return self._table("items") if (self.folder / "items.parquet").exists() else None

    def users(self) -> pl.DataFrame | None:
        """What is known about the users: user, ...; None where nothing was given."""
        return self._table("users") if (self.folder / "users.parquet").exists() else None

    def features(self) -> Features:
        """What is known about users and items, read when a model asks for it."""
        import polars as pl

        paths = [self.folder / f"{name}.parquet" for name in ("users", "items")]
        users, items = (pl.scan_parquet(path, glob=False) if path.exists() else None for path in paths)
        return Features(users, items)

    def rejects(self) -> pl.DataFrame:
        """Rows that could not be used: file, line, reason, text."""
        return self._table("rejects")

    def _table(self, name: str) -> pl.DataFrame:
        import polars as pl

        path = self.folder / f"{name}.parquet"
        try:
            return pl.read_parquet(path, glob=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise RecsysError(
                f"{path} cannot be read ({str(error).splitlines()[0]}); run `recsys etl` again"
            ) from error

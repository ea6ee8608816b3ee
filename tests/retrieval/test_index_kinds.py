"""Kinds of index that a file offers: found by name, chosen by their recall, kept, opened, and served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from recsys import plugins
from recsys.cli.main import app
from recsys.errors import InputError, RecsysError
from recsys.retrieval.export import export
from recsys.retrieval.index import tuning
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.index import Filed, Searchable
from recsys.retrieval.index.store import choices, open_index, read_manifest, save_index
from recsys.retrieval.index.tuning import choose
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests.factories import embeddings, run_folder, seen_rows

KINDS = '''
"""An inverted file, and two kinds that are built anew whenever a run is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recsys import plugins
from recsys.errors import RecsysError
from recsys.retrieval.index.exact import Exact, check, top


@dataclass
class InvertedFile:
    """Items in cells around some of them; a query looks into the nearest cells only.

    Args:
        distance: One of the order of an angle.
        cells: Number of cells.
        probes: Cells that a query looks into.
        seed: Of the centres.
    """

    distance: str = "cosine"
    cells: int = 10
    probes: int = 1
    seed: int = 0
    family: ClassVar[str] = "indexes"
    exact: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]] = ("angular",)
    file: ClassVar[str] = "items.npz"
    builds: ClassVar[tuple[Mapping[str, int], ...]] = ({"cells": 10}, {"cells": 40})
    search: ClassVar[tuple[str, int]] = ("probes", 1)
    _items: Any = field(default=None, init=False)
    _centres: Any = field(default=None, init=False)

    def build(self, items):
        self._items = items
        chosen = np.random.default_rng(self.seed).permutation(len(items))[: self.cells]
        self._centres = items[chosen]
        self._cell = plugins.make("distances", self.distance).matrix(items, self._centres).argmax(axis=1)
        return self

    def with_search(self, value):
        other = InvertedFile(self.distance, self.cells, value, self.seed)
        other._items, other._centres, other._cell = self._items, self._centres, self._cell
        return other

    def query(self, vectors, k, exclude=None):
        if self._items is None:
            raise RecsysError("the inverted file holds no items; call build(items) first")
        check(vectors, k, self._items.shape[1])
        distance = plugins.make("distances", self.distance)
        scores = np.array(distance.matrix(vectors, self._items), dtype=np.float32)
        nearest = np.argsort(-distance.matrix(vectors, self._centres), axis=1)[:, : self.probes]
        for row, cells in enumerate(nearest):
            hidden = [] if exclude is None else exclude.row(row)
            near = np.isin(self._cell, cells)
            near[hidden] = False
            if near.sum() < k:
                near[:] = True
                near[hidden] = False
            scores[row, ~near] = -np.inf
        return top(scores, k)

    def describe(self):
        return {"centres": len(self._centres)}

    def save(self, path: Path) -> None:
        np.savez(path, centres=self._centres, cell=self._cell)

    def load(self, path, items, described):
        with np.load(path, allow_pickle=False) as kept:
            self._items, self._centres, self._cell = items, kept["centres"], kept["cell"]
        if len(self._centres) != described["centres"]:
            raise RecsysError(f"{path} has another number of centres than its manifest says")
        return self


@dataclass
class FirstHalf:
    """Only the first half of the items."""

    distance: str = "cosine"
    family: ClassVar[str] = "indexes"
    exact: ClassVar[bool] = False

    def build(self, items):
        self._half = Exact(self.distance).build(items[: len(items) // 2])
        return self

    def query(self, vectors, k, exclude=None):
        return self._half.query(vectors, k)


@dataclass
class WholeProduct(Exact):
    """Every item, by another name."""

    distance: str = "cosine"
    family: ClassVar[str] = "indexes"
'''


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "kinds.py"
    path.write_text(KINDS)
    with plugins.using([path]):
        yield path


@pytest.fixture
def run(home: Home) -> RunFolder:
    return run_folder(home, embeddings(300, 400, 8), seen_rows(300, 400))


def chosen(kind: str, **options: float) -> tuning.Chosen:
    model = embeddings(300, 400, 8)
    return choose(
        model.items, model.users, seen_rows(300, 400), "cosine", k=10, kind=kind, **options  # type: ignore[arg-type]
    )  # fmt: skip


def call(run: RunFolder, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(run.path.parent.parent), "--quiet"])


def test_it_is_found_by_name_and_says_what_it_needs(kinds: Path) -> None:
    assert choices() == ("auto", "annoy", "exact", "first_half", "inverted_file", "whole_product")
    assert plugins.part("indexes", "inverted_file").constants["metrics"] == ("angular",)
    assert isinstance(plugins.make("indexes", "inverted_file"), Searchable)
    assert isinstance(plugins.make("indexes", "inverted_file"), Filed)
    assert not isinstance(plugins.make("indexes", "first_half"), Searchable | Filed)


def test_its_setting_is_chosen_by_the_recall(kinds: Path) -> None:
    found = chosen("inverted_file", target=0.9, seed=3)
    assert (found.kind, found.promised.recall >= 0.9) == ("inverted_file", True)
    assert found.summary["options"].keys() == {"cells", "probes"}
    assert found.curve[0].document["probes"] == 1
    assert found.curve[0].recall < 0.9 <= found.curve[-1].recall
    model = embeddings(300, 400, 8)
    true, _ = Exact("cosine").build(model.items).query(model.users, 10, seen_rows(300, 400))
    mine, _ = found.index.query(model.users, 10, seen_rows(300, 400))
    assert np.mean([np.isin(a, b).mean() for a, b in zip(mine, true, strict=True)]) >= 0.9


@pytest.mark.parametrize(("faster", "kind"), [(3.0, "inverted_file"), (1.1, "exact")])
def test_auto_takes_it_where_it_is_the_fastest(
    kinds: Path, monkeypatch: pytest.MonkeyPatch, faster: float, kind: str
) -> None:
    def latencies(index: object, *_: object) -> tuple[float, float]:
        return (1 / faster if type(index).__name__ == "InvertedFile" else 1.0,) * 2

    monkeypatch.setattr(tuning, "_latencies", latencies)
    found = chosen("auto", target=0.5)
    assert found.kind == kind
    if kind == "inverted_file":
        assert found.why == "3.0 times as fast as exact ranking"
    else:
        assert "no setting of inverted_file that meets the target is 1.2 times as fast" in found.why


def test_a_kind_that_never_meets_the_target_is_refused(kinds: Path) -> None:
    with pytest.raises(
        InputError, match=r"no setting of first_half has recall@10 of 0\.95; lower the target"
    ):
        chosen("first_half")


def test_a_kind_that_is_exact_promises_all(kinds: Path) -> None:
    found = chosen("whole_product")
    assert (found.kind, found.promised.recall, found.summary["options"]) == ("whole_product", 1.0, {})


def test_a_kept_index_is_opened_by_the_name_in_its_manifest(kinds: Path, tmp_path: Path) -> None:
    model, found = embeddings(300, 400, 8), chosen("inverted_file", target=0.9)
    save_index(tmp_path / "index", found.kind, found.index, model.items, found.promise)
    manifest = read_manifest(tmp_path / "index")
    assert (manifest["kind"], manifest["centres"]) == ("inverted_file", found.promised.setting["cells"])
    assert manifest["options"] == {**found.promised.setting, "seed": 0}
    opened = open_index(tmp_path / "index", model.items, "cosine")
    np.testing.assert_array_equal(opened.query(model.users, 5)[0], found.index.query(model.users, 5)[0])
    (tmp_path / "index" / "items.npz").write_bytes(b"short")
    with pytest.raises(RecsysError, match=r"items\.npz has 5 bytes"):
        open_index(tmp_path / "index", model.items, "cosine")
    with pytest.raises(InputError, match="holds an index of kind inverted_file, not annoy"):
        open_index(tmp_path / "index", model.items, "cosine", "annoy")


def test_a_kind_without_a_file_is_built_from_the_vectors(kinds: Path, tmp_path: Path) -> None:
    model = embeddings(300, 400, 8)
    save_index(tmp_path / "index", "whole_product", chosen("whole_product").index, model.items)
    assert [path.name for path in (tmp_path / "index").iterdir()] == ["manifest.json"]
    opened = open_index(tmp_path / "index", model.items, "cosine")
    assert type(opened).__name__ == "WholeProduct"
    true, _ = Exact("cosine").build(model.items).query(model.users, 5)
    np.testing.assert_array_equal(opened.query(model.users, 5)[0], true)


def test_the_command_line_builds_serves_and_exports_it(kinds: Path, run: RunFolder, tmp_path: Path) -> None:
    theirs = ("--plugins", str(kinds))
    listed = json.loads(call(run, "parts", "indexes", "--json", *theirs).stdout)
    assert listed["indexes"]["inverted_file"].startswith("Items in cells around some of them")
    words = ("index", "build", run.name, "--index", "inverted_file", "--target-recall", "0.9", *theirs)
    built = call(run, *words)
    assert built.exit_code == 0, built.output
    assert "probes" in built.stdout
    assert "chosen: inverted_file (cells" in built.stdout
    assert call(run, "index", "verify", run.name, *theirs).exit_code == 0
    shown = call(run, "recommend", "--user", "u1", "-k", "3", "--run", run.name, "--json", *theirs)
    assert shown.exit_code == 0, shown.output
    with plugins.using([kinds]):
        service = Service.open(run.path)
        assert service.kind == "inverted_file"
        manifest = export(run.path, tmp_path / "lists.parquet", k=3, index="inverted_file")
    assert manifest["index"]["kind"] == "inverted_file"
    assert manifest["index"]["recall@20"] >= 0.9
    first = pl.read_parquet(tmp_path / "lists.parquet").filter(pl.col("user") == "u1")["item"].to_list()
    listed = json.loads(shown.stdout)["recommendations"][0]["items"]
    assert first == [each["item"] for each in listed]


def test_without_the_file_the_run_says_what_is_missing(run: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "kinds.py"
    path.write_text(KINDS)
    with plugins.using([path]):
        found = chosen("inverted_file", target=0.9)
        save_index(run.index, found.kind, found.index, embeddings(300, 400, 8).items, found.promise)
        run.seal()
    refused = call(run, "recommend", "--user", "u1", "--run", run.name)
    assert refused.exit_code == 1
    assert (
        "is of kind 'inverted_file', which is none of: annoy, exact; install what offers it" in refused.stderr
    )
    assert call(run, "recommend", "--user", "u1", "--run", run.name, "--index", "exact").exit_code == 0
    unknown = call(run, "recommend", "--user", "u1", "--run", run.name, "--index", "inverted_file")
    assert unknown.exit_code == 2
    assert "index is 'inverted_file'; it is one of: auto, annoy, exact" in unknown.stderr

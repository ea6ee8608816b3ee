import json
import os
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import InputError, RecsysError
from recsys.retrieval.index.annoy import Annoy
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.store import open_index, read_manifest, save_index

pytest.importorskip("annoy", reason="annoy is not installed: it needs a C++ compiler")

ITEMS = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
TREES = "items.annoy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_index(tmp_path / "index", "annoy", Annoy("dot", 3, 4, 9).build(ITEMS), ITEMS, {"target": 0.9})
    return tmp_path / "index"


def edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_an_index_comes_back_with_its_options_and_answers(folder: Path) -> None:
    opened = open_index(folder, ITEMS, "dot")
    assert isinstance(opened, Annoy)
    assert (opened.trees, opened.search_k, opened.seed) == (3, 4, 9)
    np.testing.assert_array_equal(
        opened.query(ITEMS[:9], 5)[0], Annoy("dot", 3, 4, 9).build(ITEMS).query(ITEMS[:9], 5)[0]
    )
    assert read_manifest(folder)["target"] == 0.9
    assert isinstance(open_index(folder, ITEMS, "dot", "exact"), Exact)


def test_no_folder_is_exact_unless_annoy_is_asked_for(tmp_path: Path) -> None:
    assert open_index(tmp_path / "none", ITEMS, "dot").exact
    with pytest.raises(InputError, match=r"there is no index in .*none; build it with `recsys index build`"):
        open_index(tmp_path / "none", ITEMS, "dot", "annoy")


def test_an_exact_index_is_remembered_as_such(tmp_path: Path) -> None:
    save_index(tmp_path / "index", "exact", Exact("cosine").build(ITEMS), ITEMS)
    assert open_index(tmp_path / "index", ITEMS, "cosine").exact
    with pytest.raises(InputError, match="holds an index of kind exact, not annoy; take --index exact"):
        open_index(tmp_path / "index", ITEMS, "cosine", "annoy")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": 100}, "is of 100 items, the run has 120"),
        ({"dim": 6}, "is of 6 dimensions, the run has 5"),
        ({"distance": "cosine"}, "is by the distance cosine, the run has dot"),
        ({"kind": "faiss"}, "is of kind 'faiss', which is none of: annoy, exact"),
        ({"schema": 99}, "has schema 99, this version reads 1"),
    ],
)
def test_a_manifest_of_something_else_names_both_sides(
    folder: Path, changes: dict[str, object], message: str
) -> None:
    edit(folder, **changes)
    with pytest.raises(RecsysError, match=message):
        open_index(folder, ITEMS, "dot", sealed=True)


def test_a_cut_off_file_is_told_by_its_size_even_when_sealed(folder: Path) -> None:
    data = (folder / TREES).read_bytes()
    (folder / TREES).write_bytes(data[:-100])
    with pytest.raises(RecsysError, match=f"has {len(data) - 100} bytes, its manifest says {len(data)}"):
        open_index(folder, ITEMS, "dot", sealed=True)


def test_a_changed_byte_is_told_by_its_hash(folder: Path) -> None:
    data = bytearray((folder / TREES).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / TREES).write_bytes(bytes(data))
    with pytest.raises(RecsysError, match=r"has sha256 [0-9a-f]{12}, its manifest says [0-9a-f]{12}"):
        open_index(folder, ITEMS, "dot")


def test_a_copied_file_is_hashed_and_accepted(folder: Path) -> None:
    os.utime(folder / TREES, ns=(1, 1))
    assert not open_index(folder, ITEMS, "dot").exact


def test_other_vectors_are_told(folder: Path) -> None:
    other = ITEMS.copy()
    other[7] += 1
    with pytest.raises(RecsysError, match=r"is an index of other vectors: sha256 [0-9a-f]{12}, the run has"):
        open_index(folder, other, "dot")
    with pytest.raises(RecsysError, match="was built from other vectors than the run's"):
        open_index(folder, ITEMS + 1, "dot", sealed=True)


def test_a_missing_file_and_a_broken_manifest_are_told(folder: Path) -> None:
    (folder / TREES).unlink()
    with pytest.raises(RecsysError, match=r"items\.annoy is missing; build it with"):
        open_index(folder, ITEMS, "dot")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(RecsysError, match="is not valid JSON"):
        open_index(folder, ITEMS, "dot")


def test_a_failed_save_leaves_the_index_that_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Annoy, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    before = (folder / TREES).read_bytes()
    monkeypatch.setattr(Annoy, "save", full)
    with pytest.raises(RecsysError, match="No space left on device; free some space"):
        save_index(folder, "annoy", Annoy("dot").build(ITEMS), ITEMS)
    assert (folder / TREES).read_bytes() == before
    assert os.listdir(folder.parent) == ["index"]

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys import plugins
from recsys.embeddings import MANIFEST, VECTORS, Embeddings, FoldIn, Stored
from recsys.errors import InputError, RecsysError
from recsys.ids import IdMap
from recsys.storage.files import read_json, write_json


def embeddings(distance: str = "cosine") -> Embeddings:
    rng = np.random.default_rng(0)
    users, items = (rng.standard_normal((n, 4)).astype(np.float32) for n in (3, 5))
    user_ids, item_ids = (
        IdMap(pl.Series([f"{kind}{n}" for n in range(count)])) for kind, count in (("u", 3), ("ü", 5))
    )
    return Embeddings(users, items, user_ids, item_ids, distance, items + 1, FoldIn("sum", {"power": 0.5}))


def test_save_and_load(tmp_path: Path) -> None:
    saved = embeddings()
    saved.save(tmp_path)
    loaded = Embeddings.load(tmp_path)
    for name in ("users", "items", "inputs"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(saved, name))
    assert loaded.user_ids.ids.to_list() == saved.user_ids.ids.to_list()
    assert loaded.item_ids.ids.to_list() == saved.item_ids.ids.to_list()
    assert (loaded.distance, loaded.fold_in) == (saved.distance, saved.fold_in)


@pytest.mark.parametrize("distance", plugins.names("distances"))
def test_scores_are_those_of_the_distance(distance: str) -> None:
    made = embeddings(distance)
    similarity = plugins.make("distances", distance).similarity
    expected = [[similarity(user, item) for item in made.items] for user in made.users[[2, 0]]]
    np.testing.assert_allclose(made.scores(np.array([2, 0])), expected, rtol=1e-5, atol=1e-5)


def test_shapes_must_match_the_ids() -> None:
    with pytest.raises(InputError, match=r"users have shape \(2, 4\); 3 ids need \(3, 4\)"):
        replace(embeddings(), users=np.zeros((2, 4), np.float32))


def test_values_must_be_finite() -> None:
    with pytest.raises(RecsysError, match="items hold 5 values that are not finite"):
        replace(embeddings(), items=np.full((5, 4), [1, 1, 1, np.nan], np.float32))


def test_the_distance_must_be_known() -> None:
    with pytest.raises(InputError, match="unknown distance 'hamming'"):
        embeddings("hamming")


def test_another_schema_is_an_error(tmp_path: Path) -> None:
    embeddings().save(tmp_path)
    write_json(tmp_path / MANIFEST, read_json(tmp_path / MANIFEST) | {"schema": 99})
    with pytest.raises(RecsysError, match="schema 99, this version reads 1"):
        Stored.open(tmp_path)


def test_files_of_another_model_are_an_error(tmp_path: Path) -> None:
    small = embeddings()
    small.save(tmp_path / "a")
    replace(small, items=small.items[:, :2], users=small.users[:, :2], inputs=None).save(tmp_path / "b")
    (tmp_path / "b" / VECTORS).replace(tmp_path / "a" / VECTORS)
    with pytest.raises(RecsysError, match=r"the manifest says users \(3, 4\), the files hold \(3, 2\)"):
        Stored.open(tmp_path / "a")

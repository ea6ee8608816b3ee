"""The index of an epoch ranks as the exact index does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.learning.training.loop import batches, embed, run_epoch
from recsys.learning.training.nearest import nearest
from recsys.models.two_tower import TwoTower
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact
from tests import factories

TRAIN = factories.interactions()
MODEL = TwoTower(
    loss="triplet", start="normal", hops=0, dim=4, batch=64, candidates=8, device="cpu", precision="fp32"
)


@pytest.mark.parametrize("tower", ["lookup", "history"])
@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean", "manhattan", "mahalanobis"])
def test_the_exact_index_without_what_was_chosen(tower: str, distance: str) -> None:
    work = replace(MODEL, tower=tower, distance=distance).prepare(TRAIN)
    run_epoch(work, 1)
    vectors, csr = embed(work), TRAIN.csr()
    index = Exact("euclidean" if distance == "mahalanobis" else distance).build(vectors["items"])
    chosen = Ragged(csr.indptr.astype(np.int64), csr.indices.astype(np.int32))
    expected, _ = index.query(vectors["users"], 8, chosen)
    found = nearest(work.log, work.tables, work.parts, 2, 6, block_scores=300).numpy()  # seven users a block
    assert found.shape == (len(TRAIN.users), 6)
    listed = expected[:, 2:] >= 0  # a user who chose nearly everything has a shorter list
    assert listed.mean() > 0.9
    assert (found == expected[:, 2:])[listed].all()


def test_chosen_items_come_last() -> None:
    work = MODEL.prepare(TRAIN)
    ranked = nearest(work.log, work.tables, work.parts, 0, len(TRAIN.items)).numpy()
    known = TRAIN.csr().toarray() > 0
    places = np.take_along_axis(known, ranked, axis=1)
    assert (np.sort(ranked, axis=1) == np.arange(len(TRAIN.items))).all()
    assert (np.diff(places.astype(int), axis=1) >= 0).all()


def test_an_epoch_keeps_the_index_of_its_beginning_and_the_next_makes_its_own() -> None:
    """Candidates of the model's own sampler: those of the first epoch do not know what it learns."""
    model = replace(MODEL, sampler={"name": "index_mined", "share": 0.9, "depth": 1}, candidates=40, rate=1.0)
    untouched, trained = model.prepare(TRAIN), model.prepare(TRAIN)
    run_epoch(trained, 1)
    first = [batch.candidates.codes.tolist() for batch in batches(untouched, 1)]
    work = model.prepare(TRAIN)
    lazy = batches(work, 1)
    begun = next(lazy).candidates.codes.tolist()
    work.tables["items"].neg_()
    assert [begun, *(batch.candidates.codes.tolist() for batch in lazy)] == first
    second = [batch.candidates.codes.tolist() for batch in batches(untouched, 2)]
    assert [batch.candidates.codes.tolist() for batch in batches(trained, 2)] != second

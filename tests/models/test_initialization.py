"""A start is what it says: against numpy's decompositions of a small dense matrix."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.models.initialization import ROUNDS, STARTS, principal, scaled, start
from recsys.models.model import Scorer
from recsys.models.spectral import Spectral
from recsys.models.two_tower import TwoTower
from recsys.storage.arrays import FloatArray
from tests import factories

TRAIN = factories.interactions()
DENSE = TRAIN.csr().toarray().astype(np.float64)
DIM = 5


def up_to_sign(found: FloatArray, wanted: np.ndarray) -> None:
    """Column by column, a vector or its opposite."""
    for ours, theirs in zip(found.T, wanted.T, strict=True):
        np.testing.assert_allclose(ours * np.sign(ours @ theirs), theirs, atol=1e-4)


def begun(kind: str, *, unit_rows: bool) -> dict[str, tuple[FloatArray, np.ndarray]]:
    """Each table at its start, and which of its rows have one."""
    served = start(kind, TRAIN, DIM, 0)
    assert served is not None
    assert served.inputs is not None
    tables = {"users": served.users, "items": served.items, "inputs": served.inputs}
    return {name: scaled(vectors, unit_rows=unit_rows) for name, vectors in tables.items()}


def test_pca_is_the_svd_of_the_centred_rows() -> None:
    left, values, right = np.linalg.svd(DENSE - DENSE.mean(axis=0), full_matrices=False)
    scores, loadings = principal(TRAIN, DIM, seed=0)
    up_to_sign(loadings, right[:DIM].T)
    up_to_sign(scores, left[:, :DIM] * values[:DIM])


def test_spectral_is_what_the_model_serves() -> None:
    served = Spectral(DIM, ROUNDS).fit(TRAIN).scorer
    assert isinstance(served, Embeddings)
    found = begun("spectral", unit_rows=False)
    for name, vectors in (("users", served.users), ("items", served.items), ("inputs", served.inputs)):
        assert vectors is not None
        wanted = vectors / np.sqrt(np.square(vectors).sum(axis=1).mean())
        np.testing.assert_allclose(found[name][0], wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", ["spectral", "pca"])
def test_the_expected_length_is_1(kind: str) -> None:
    for unit_rows in (True, False):
        for vectors, there in begun(kind, unit_rows=unit_rows).values():
            squares = np.square(vectors).sum(axis=1)
            np.testing.assert_allclose(squares[there] if unit_rows else squares.mean(), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", ["spectral", "pca"])
@pytest.mark.parametrize("tower", ["lookup", "history"])
def test_the_tables_of_a_model_start_there(kind: str, tower: str) -> None:
    work = TwoTower(start=kind, tower=tower, dim=DIM).prepare(TRAIN)
    wanted = begun(kind, unit_rows=True)
    for name in ("items", {"lookup": "users", "history": "inputs"}[tower]):
        vectors, there = wanted[name]
        np.testing.assert_array_equal(work.tables[name].numpy()[there], vectors[there])
    again = TwoTower(start=kind, tower=tower, dim=DIM).prepare(TRAIN)
    assert again.tables["items"].numpy().tobytes() == work.tables["items"].numpy().tobytes()


def test_an_item_that_nobody_chose_starts_by_chance() -> None:
    ids = factories.interactions(factories.raw([("a", "x"), ("b", "y"), ("b", "unsold")]))
    train = Interactions.encode(factories.raw([("a", "x"), ("b", "y")]), ids.users, ids.items)
    work = TwoTower(start="spectral", dim=2).prepare(train)
    assert (work.tables["items"].norm(dim=1) > 0).all()


def epochs_to(kind: str, wanted: float) -> int:
    """Epochs until a checkerboard is ranked so well, 31 where 30 are not enough."""
    raw, test = factories.checkerboard(users=60, items=40, held_out=4)
    train = Interactions.of(raw)
    truth, seen = Truth.of(test, train.users, train.items), train.histories()
    values: list[float] = []

    def validate(scorer: Scorer) -> float:
        values.append(evaluate(scorer, truth, seen, metrics=("ndcg@10",)).values["ndcg@10"])
        return values[-1]

    model = TwoTower(start=kind, dim=8, batch=256, epochs=30, patience=30, rate=0.02, precision="fp32")
    model.fit(train, validate=validate)
    return next((epoch for epoch, value in enumerate(values, start=1) if value > wanted), 31)


@pytest.mark.parametrize("kind", ["spectral", "pca"])
def test_fewer_epochs_to_the_same_quality(kind: str) -> None:
    assert epochs_to(kind, 0.95) < epochs_to("normal", 0.95)


def test_another_start_is_refused() -> None:
    with pytest.raises(ValueError, match="start is 'pac'; it can be normal, spectral, pca"):
        TwoTower(start="pac")


@pytest.mark.parametrize(("distance", "length"), [("dot", 0.1), ("cosine", 1), ("euclidean", 1)])
@pytest.mark.parametrize("kind", STARTS)
def test_vectors_start_short_where_length_counts_in_the_score(
    kind: str, distance: str, length: float
) -> None:
    work = TwoTower(start=kind, distance=distance, dim=DIM).prepare(TRAIN)
    assert float(work.tables["items"].square().sum(dim=1).mean()) == pytest.approx(length**2, rel=0.3)
    assert work.tables.optimizer.rate == pytest.approx(TwoTower().rate * length)

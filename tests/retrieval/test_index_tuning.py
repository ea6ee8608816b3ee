import numpy as np
import pytest

from recsys.errors import InputError
from recsys.ragged import Ragged
from recsys.retrieval.index import tuning
from recsys.retrieval.index.annoy import Annoy
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.tuning import Chosen, Measured, choose, verify
from recsys.storage.arrays import FloatArray

needs_annoy = pytest.mark.skipif(
    tuning.find_spec("annoy") is None, reason="annoy is not installed: it needs a C++ compiler"
)


def log(users: int, items: int, dim: int = 16, each: int = 10) -> tuple[FloatArray, FloatArray, Ragged]:
    """Clustered items with lengths of a long tail, users near them, ``each`` items seen by every user."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(60, dim))
    near = [centres[rng.integers(60, size=n)] + 0.5 * rng.normal(size=(n, dim)) for n in (users, items)]
    near[1] *= rng.lognormal(sigma=0.5, size=(items, 1))
    seen = np.sort(np.stack([rng.choice(items, size=each, replace=False) for _ in range(users)]), axis=1)
    rows = Ragged(np.arange(users + 1, dtype=np.int64) * each, seen.ravel().astype(np.int32))
    return near[0].astype(np.float32), near[1].astype(np.float32), rows


def recall_over_all(chosen: Chosen, users: FloatArray, items: FloatArray, seen: Ragged, k: int) -> float:
    """By set intersection, user by user."""
    true, _ = Exact(chosen.index.distance).build(items).query(users, k, seen)
    mine, _ = chosen.index.query(users, k, seen)
    return float(
        np.mean([len(set(a) & set(b)) / k for a, b in zip(mine.tolist(), true.tolist(), strict=True)])
    )


@needs_annoy
@pytest.mark.parametrize("distance", ["dot", "cosine", "euclidean"])
@pytest.mark.parametrize("target", [0.8, 0.97])
def test_the_target_is_met_over_all_users(distance: str, target: float) -> None:
    users, items, seen = log(1500, 6000)
    chosen = choose(items, users, seen, distance, target=target, k=10, kind="annoy", seed=4)
    assert isinstance(chosen.index, Annoy)
    assert recall_over_all(chosen, users, items, seen, 10) >= target
    assert chosen.promised.recall >= target
    assert chosen.promised.setting["search_k"] == chosen.index.search_k
    assert chosen.curve[-1].setting == chosen.promised.setting
    assert chosen.curve[-1].meets(target)


@needs_annoy
def test_a_promise_is_verified_on_users_it_was_not_made_on() -> None:
    users, items, seen = log(2000, 4000)
    chosen = choose(items, users, seen, "cosine", target=0.9, k=10, kind="annoy", seed=1)
    again = verify(chosen.index, items, users, seen, "cosine", k=10, seed=1)
    assert again.recall >= 0.9
    assert isinstance(chosen.index, Annoy)
    blind = verify(chosen.index.with_search(1), items, users, seen, "cosine", k=10, seed=1)
    assert blind.recall < 0.9


@pytest.mark.parametrize(("users", "wanted"), [(1, (1, 1, 1)), (7, (3, 3, 7)), (5000, (200, 200, 1000))])
def test_the_samples_are_disjoint_where_there_are_enough_users(users: int, wanted: tuple[int, ...]) -> None:
    parts = tuning._parts(users, 0)
    assert tuple(len(set(part.tolist())) for part in parts) == wanted
    if users > 1:
        assert not set(parts[0].tolist()) & set(parts[1].tolist())
    if users == 5000:
        assert not (set(parts[0].tolist()) | set(parts[1].tolist())) & set(parts[2].tolist())


@pytest.mark.parametrize("faster", [1.0, 1.1])
def test_exact_is_taken_where_it_is_about_as_fast(faster: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_latencies", lambda index, *_: (1.0 if index.exact else 1 / faster,) * 2)
    users, items, seen = log(80, 50)
    chosen = choose(items, users, seen, "cosine")
    assert isinstance(chosen.index, Exact)
    assert (chosen.promised.recall, chosen.summary["kind"], chosen.summary["options"]) == (1.0, "exact", {})


@needs_annoy
@pytest.mark.parametrize(
    ("alone", "together", "kind", "batch_kind"),
    [(2.0, 2.0, "annoy", "annoy"), (2.0, 1.1, "annoy", "exact"), (2.0, 0.5, "annoy", "exact"),
     (1.1, 2.0, "exact", "exact")],
)  # fmt: skip
def test_one_user_and_many_are_judged_by_their_own_times(
    alone: float, together: float, kind: str, batch_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Annoy is so many times as fast as exact ranking for one user, and so many times for many at once."""
    monkeypatch.setattr(tuning, "_latencies", lambda index, *_: (1.0 if index.exact else 1 / alone,) * 2)
    monkeypatch.setattr(tuning, "_batch_ms", lambda index, *_: 0.4 if index.exact else 0.4 / together)
    users, items, seen = log(80, 400)
    summary = choose(items, users, seen, "cosine", target=0.5).summary
    assert (summary["kind"], summary["batch_kind"]) == (kind, batch_kind)
    assert summary["exact"] == {"p50_ms": 1.0, "p95_ms": 1.0, "batch_ms": 0.4}
    assert summary["batch_ms"] == (0.4 / together if kind == "annoy" else 0.4)


def test_exact_when_asked_for_and_without_annoy(monkeypatch: pytest.MonkeyPatch) -> None:
    users, items, seen = log(80, 3000)
    chosen = choose(items, users, seen, "cosine", kind="exact")
    assert (chosen.index.exact, chosen.why, chosen.curve) == (True, "exact was asked for", ())
    monkeypatch.setattr(tuning, "find_spec", lambda name: None)
    assert choose(items, users, seen, "cosine").why == "annoy is not installed"


def test_equal_scores_are_as_good_as_each_other() -> None:
    """Lists of other items with the same scores are no miss; a list of worse items is."""

    class Other:
        exact = False

        def query(
            self, vectors: FloatArray, k: int, exclude: Ragged | None = None
        ) -> tuple[np.ndarray, np.ndarray]:
            codes = np.tile(np.arange(k, 2 * k, dtype=np.int32), (len(vectors), 1))
            return codes, np.zeros(codes.shape, dtype=np.float32)

    rng = np.random.default_rng(0)
    users = np.abs(rng.normal(size=(20, 4))).astype(np.float32)
    seen = Ragged(np.zeros(21, dtype=np.int64), np.zeros(0, dtype=np.int32))
    same = np.ones((10, 4), dtype=np.float32)
    assert verify(Other(), same, users, seen, "dot", k=5, seed=0).recall == 1.0
    worse = np.concatenate([2 * same[:5], same[5:]])
    assert verify(Other(), worse, users, seen, "dot", k=5, seed=0).recall == 0.0


def test_users_with_nothing_left_do_not_count() -> None:
    users, items, _ = log(30, 40)
    everything = np.tile(np.arange(40, dtype=np.int32), 30)
    seen = Ragged(np.arange(31, dtype=np.int64) * 40, everything)
    measured = verify(Exact("dot").build(items), items, users, seen, "dot", k=5, seed=0)
    assert (measured.recall, measured.error) == (1.0, 0.0)


def test_the_promise_is_plain_json_with_the_curve() -> None:
    point = Measured({"trees": 10, "search_k": 20}, 0.96, 0.004, 0.1, 0.2, 0.05)
    chosen = Chosen("annoy", Annoy("dot", 10, 20), 20, 0.95, point, point, (point,), "why")
    assert chosen.promise["recall@20"] == 0.96
    assert chosen.promise["curve"][0]["search_k"] == 20
    assert chosen.summary == {
        "kind": "annoy", "options": {"trees": 10, "search_k": 20},
        "recall@20": 0.96, "p50_ms": 0.1, "p95_ms": 0.2, "target": 0.95, "batch_ms": 0.05,
        "exact": {"p50_ms": 0.1, "p95_ms": 0.2, "batch_ms": 0.05}, "batch_kind": "exact",
    }  # fmt: skip


@pytest.mark.parametrize("target", [0.0, -1.0, 1.5])
def test_a_target_out_of_range_is_refused(target: float) -> None:
    users, items, seen = log(20, 30)
    with pytest.raises(InputError, match="the target recall is"):
        choose(items, users, seen, "dot", target=target)
    with pytest.raises(InputError, match="k is 0"):
        choose(items, users, seen, "dot", k=0)

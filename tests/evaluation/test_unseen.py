"""Users served by a history alone: views by the one-by-one definition, the truth, and planted taste."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from recsys.data.splits.histories import FoldInSplit, oldest_rows, ordered
from recsys.data.synthetic import World
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.folded import CannotFoldInError, folded
from recsys.evaluation.truth import Truth
from recsys.evaluation.unseen import Unseen, UnseenValidator, newest, nobody_known
from recsys.ids import IdMap
from recsys.models.als import ALS
from recsys.models.ease import EASE
from recsys.models.item_knn import ItemKNN
from recsys.models.model import Identified, Model
from recsys.models.popularity import Popularity
from recsys.models.spectral import Spectral
from recsys.ragged import Ragged
from recsys.retrieval.fold_in import fold_in
from recsys.storage.arrays import FloatArray, IntArray
from tests.factories import random_log, raw

LOG = Interactions.of(random_log())
# Ten people whom training lacks, the last with a history of nothing that it knows.
HELD = pl.concat(
    [
        random_log(users=10, items=45, rows=160, seed=7).with_columns(
            ("new-" + pl.col("user")).alias("user")
        ),
        raw([("stranger", "never"), ("stranger", "sold"), ("single", "i1")], [0, 1, 2]),
    ]
)
MODELS: list[Model] = [ALS(dim=4), Spectral(dim=4), Popularity(), EASE(), EASE(dim=4), ItemKNN()]


def unseen(held: pl.DataFrame = HELD) -> Unseen:
    return Unseen.of(oldest_rows(held), LOG.items)


def known_items(user: str) -> list[int]:
    """Codes of a history, the oldest first, by loops."""
    history = oldest_rows(HELD).history
    codes = {item: code for code, item in enumerate(LOG.items.ids)}
    return [
        codes[item]
        for one, item in history.select("user", "item").iter_rows()
        if one == user and item in codes
    ]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_view_is_the_model_asked_for_one_history_after_the_other(model: Model) -> None:
    users = unseen()
    scorer = model.fit(LOG).scorer
    view = users.view(scorer)
    assert view.user_ids.ids.to_list() == users.ids.ids.to_list()
    assert view.item_ids is scorer.item_ids
    got = view.scores(np.arange(len(users.ids)))
    for row, user in enumerate(users.ids.ids):
        history = np.array(known_items(user), dtype=np.int32)
        if isinstance(scorer, Embeddings):
            one = replace(scorer, users=fold_in(scorer, history)[None], user_ids=IdMap(pl.Series(["x"])))
            wanted = one.scores(np.array([0]))[0]
        else:  # a sum over the history, as if it were that of a user in training
            alike = replace(scorer, history=Ragged(np.array([0, len(history)]), np.sort(history)))
            wanted = alike.scores(np.array([0]))[0]
        np.testing.assert_allclose(got[row], wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("model", [EASE(), EASE(dim=4), ItemKNN(), Spectral(dim=4), Popularity()], ids=repr)
def test_a_user_of_training_is_served_the_same_by_the_own_history(model: Model) -> None:
    scorer = model.fit(LOG).scorer
    users = Unseen.of(FoldInSplit(ordered(random_log()), random_log(seed=3), 0), LOG.items)
    codes = LOG.users.encode(users.ids.ids).to_numpy()
    np.testing.assert_allclose(
        users.view(scorer).scores(np.arange(len(codes))), scorer.scores(codes), rtol=1e-4, atol=1e-6
    )


def test_who_is_asked_and_who_is_counted_apart() -> None:
    users = unseen()
    assert users.left_out == 1
    assert users.truth.cold_users == 1  # of the stranger's history nothing is known
    assert users.counts()["users"] == len(users.truth) == 10
    asked = oldest_rows(HELD).targets.filter(pl.col("user").str.starts_with("new-"))
    assert users.truth.sizes.sum() == asked.height
    for row, user in enumerate(users.ids.ids):
        assert users.seen.row(row).tolist() == sorted(known_items(user))
        assert users.histories.indices[slice(*users.histories.indptr[row : row + 2])].tolist() == known_items(
            user
        )
    assert nobody_known(HELD, LOG.users)
    assert not nobody_known(pl.concat([HELD, raw([("u1", "i1")])]), LOG.users)


def test_the_lists_are_those_of_a_model_that_had_such_users() -> None:
    """EASE scores by the history alone, so held-out users can simply be put into its table."""
    users = unseen()
    model = EASE().fit(LOG).scorer
    found = users.evaluate(model, ("ndcg@10", "recall@5"))
    history = oldest_rows(HELD).history.filter(pl.col("user") != "stranger")
    log = Interactions.encode(history, users.ids, LOG.items)
    wanted = evaluate(
        replace(model, history=Ragged(*_csr(log)), user_ids=users.ids),
        Truth.of(oldest_rows(HELD).targets, users.ids, LOG.items),
        log.histories(),
        metrics=("ndcg@10", "recall@5"),
    )
    assert found.per_user.equals(wanted.per_user)


def _csr(log: Interactions) -> tuple[IntArray, np.ndarray]:
    matrix = log.csr()
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)


def test_a_cut_history_keeps_the_newest_items_and_hides_all() -> None:
    users = unseen()
    for count in (1, 2, 5):
        rows = newest(users.histories, count)
        for row, user in enumerate(users.ids.ids):
            own = rows.indices[rows.indptr[row] : rows.indptr[row + 1]].tolist()
            assert own == known_items(user)[-count:]
        assert users.with_history_of(count) == sum(len(known_items(user)) >= count for user in users.ids.ids)
    assert newest(users.histories, None) is users.histories
    found = users.evaluate(ItemKNN().fit(LOG).scorer, ("recall@40",), longest=1)
    lists = found.ranked.codes
    for row, user in enumerate(users.ids.ids):
        assert not set(lists[row].tolist()) & set(known_items(user))


def test_novelty_is_measured_by_what_training_users_chose() -> None:
    users, train = unseen(), LOG.histories()
    found = users.evaluate(Popularity().fit(LOG).scorer, ("novelty@5",), train=train)
    counts = np.bincount(train.indices, minlength=len(LOG.items))
    assert found.ranked.training_users == len(LOG.users)
    assert found.ranked.chosen.tolist() == counts.tolist()


def test_lists_longer_than_the_catalogue() -> None:
    found = unseen().evaluate(ALS(dim=4).fit(LOG).scorer, ("recall@1000", "precision@1000"))
    truth = unseen().truth
    reachable = np.diff(truth.relevant.indptr) / truth.sizes
    assert found.per_user["recall@1000"].to_list() == pytest.approx(reachable.tolist())


def test_nobody_to_ask_is_one_line() -> None:
    nobody = unseen(raw([("stranger", "never"), ("stranger", "sold"), ("single", "i1")]))
    with pytest.raises(
        InputError, match="1 have too few rows for a history and a question, and the history of 1"
    ):
        nobody.evaluate(Popularity().fit(LOG).scorer, ("recall@5",))
    assert nobody.counts()["users"] == 0


@dataclass(frozen=True)
class Closed:
    """A scorer that knows its users only."""

    user_ids: IdMap
    item_ids: IdMap

    def scores(self, users: IntArray) -> FloatArray:
        return np.zeros((len(users), len(self.item_ids)), dtype=np.float32)


def test_a_model_of_its_users_alone_says_that_it_cannot() -> None:
    with pytest.raises(
        CannotFoldInError, match="Closed cannot fold in: it scores the users it was fitted to"
    ):
        folded(Closed(LOG.users, LOG.items), unseen().ids, unseen().histories)


def test_a_validator_is_the_evaluation_and_may_ask_a_sample() -> None:
    scorer = ItemKNN().fit(LOG).scorer
    judge = UnseenValidator(unseen(), "recall@5")
    assert judge.folds_in
    assert judge(scorer) == unseen().evaluate(scorer, ("recall@5",)).values["recall@5"]
    few = Unseen.of(oldest_rows(HELD), LOG.items, most=4)
    assert len(few.truth) == len(few.ids) == 4
    assert set(few.ids.ids) < set(unseen().ids.ids)
    again = Unseen.of(oldest_rows(HELD), LOG.items, most=4)
    assert again.ids.ids.to_list() == few.ids.ids.to_list()


@pytest.mark.parametrize("model", [ALS(dim=16), Spectral(dim=16), EASE(), ItemKNN()], ids=repr)
def test_planted_taste_of_held_out_users_is_found_from_their_history(model: Model) -> None:
    """The more of a history is given, the nearer the lists come to those of the known taste."""
    world = World.make(500, 200, genres=6, seed=1)
    log = pl.concat(list(world.chunks(20_000))).unique(["user", "item"], keep="first", maintain_order=True)
    users = log["user"].unique().sort()
    held = users.gather_every(5)
    train = Interactions.of(log.filter(~pl.col("user").is_in(held.implode())))
    asked = Unseen.of(oldest_rows(log.filter(pl.col("user").is_in(held.implode()))), train.items)

    def quality(scorer: Identified, longest: int | None = None) -> float:
        return asked.evaluate(scorer, ("ndcg@20",), longest=longest).values["ndcg@20"]

    place = {str(number): row for row, number in enumerate(world.user_ids)}
    items = {f"i{number}": column for column, number in enumerate(world.item_ids)}
    chances = world.chances(np.array([place[user] for user in asked.ids.ids]))
    columns = [items[item] for item in train.items.ids]
    truth = evaluate(
        Known(chances[:, columns], asked.ids, train.items), asked.truth, asked.seen, metrics=("ndcg@20",)
    ).values["ndcg@20"]
    scorer = model.fit(train).scorer
    popular = quality(Popularity().fit(train).scorer)
    one, five, whole = quality(scorer, 1), quality(scorer, 5), quality(scorer)
    assert popular < one < five < whole <= truth * 1.05
    assert whole - popular > 0.6 * (truth - popular)


@dataclass(frozen=True)
class Known:
    """Scores that are known."""

    matrix: FloatArray
    user_ids: IdMap
    item_ids: IdMap

    def scores(self, users: IntArray) -> FloatArray:
        return np.asarray(self.matrix[users], dtype=np.float32)

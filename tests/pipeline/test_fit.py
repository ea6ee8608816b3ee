"""What a fit is given to learn from: of what users dislike, only what they knew by then."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest

from recsys.columns import ITEM, TIME, USER
from recsys.data.tables import Interactions, Split
from recsys.models.model import Fitted
from recsys.models.popularity import Popularity
from recsys.pipeline.fit import fit
from tests.factories import raw


@dataclass
class Notes:
    """Fits popularity, and notes what it was given."""

    given: list[Interactions] = field(default_factory=list)

    def fit(self, train: Interactions, *given: object, **options: object) -> Fitted:
        self.given.append(train)
        return Popularity().fit(train)


def pairs(log: Interactions | None) -> set[tuple[str, str]]:
    if log is None:
        return set()
    users, items = log.users.decode(log.frame[USER].to_numpy()), log.items.decode(log.frame[ITEM].to_numpy())
    return set(zip(users.to_list(), items.to_list(), strict=True))


SPLIT = Split(
    raw([("u", "a"), ("v", "b"), ("u", "c")], times=[1, 2, 3]),
    raw([("u", "d")], times=[6]),
    raw([("u", "e"), ("v", "c")], times=[9, 9]),
    raw([("u", "b"), ("v", "a"), ("u", "z"), ("w", "a"), ("v", "d")], times=[3, 5, 1, 1, 7]),
)


def test_what_is_newer_than_all_that_is_learned_from_a_user_is_left_out() -> None:
    model = Notes()
    fit(model, SPLIT, "all", validate=None)  # type: ignore[arg-type]
    assert [pairs(each.disliked) for each in model.given] == [
        {("u", "b")},
        {("u", "b"), ("v", "a"), ("v", "d")},
    ]


def test_without_times_all_is_known() -> None:
    model = Notes()
    parts = (SPLIT.train, SPLIT.valid, SPLIT.test, SPLIT.known)
    fit(
        model,
        Split(*(part.with_columns(pl.lit(None, pl.Int64).alias(TIME)) for part in parts)),
        "none",
        validate=None,
    )  # type: ignore[arg-type]
    assert pairs(model.given[0].disliked) == {("u", "b"), ("v", "a")}


@pytest.mark.parametrize("known", [SPLIT.known.clear(), raw([("w", "a"), ("u", "z")], times=[0, 0])])
def test_nothing_is_given_where_nothing_is_known_of_these_users_and_items(known: pl.DataFrame) -> None:
    model = Notes()
    fit(model, Split(SPLIT.train, SPLIT.valid, SPLIT.test, known), "none", validate=None)  # type: ignore[arg-type]
    assert model.given[0].disliked is None

"""What each rule of the refit knows: the planted log gives every one of them a recall of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from recsys.data.tables import Interactions, Split
from recsys.models.item_knn import ItemKNN
from recsys.models.model import Fitted, Identified, Report, Scorer, Validate, silent
from recsys.pipeline.fit import Refit, fit, validation
from recsys.pipeline.scoring import scored
from tests.factories import checkerboard, raw
from tests.pipeline import planted

SPLIT = planted.split()
NO_VALID = Split(SPLIT.train, SPLIT.valid.clear(), SPLIT.test, SPLIT.known)
NEAR = ItemKNN(shrinkage=0.0)


def recall(model: Identified, split: Split = SPLIT, k: int = 3) -> float | None:
    return scored(model, split, (f"recall@{k}",), 0, 0).metrics[f"recall@{k}"]


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize(
    ("refit", "of_scored", "of_served", "learned"),
    [("none", 1 / 3, 1 / 3, 40), ("valid", 2 / 3, 2 / 3, 40), ("all", 2 / 3, 1.0, 64)],
)
def test_what_a_fit_knows_decides_its_recall(
    refit: Refit, of_scored: float, of_served: float, learned: int, *, judged: bool
) -> None:
    outcome = fit(NEAR, SPLIT, refit, validate=validation(SPLIT) if judged else None)
    assert recall(outcome.scored) == pytest.approx(of_scored)
    assert recall(outcome.served) == pytest.approx(of_served)
    assert outcome.learned.height == learned
    assert (outcome.served is outcome.scored) == (refit != "all")
    assert (outcome.valid is not None) == judged


@pytest.mark.parametrize(
    ("refit", "of_served", "learned"), [("none", 1 / 3, 32), ("valid", 1 / 3, 32), ("all", 1.0, 56)]
)
def test_without_a_validation_set_only_all_learns_more(refit: Refit, of_served: float, learned: int) -> None:
    outcome = fit(NEAR, NO_VALID, refit, validate=validation(NO_VALID))
    assert (outcome.valid, outcome.learned.height) == (None, learned)
    assert recall(outcome.scored, NO_VALID, k=4) == pytest.approx(1 / 3)
    assert recall(outcome.served, NO_VALID, k=4) == pytest.approx(of_served)  # of four unseen on the shelf


def test_the_validation_set_is_judged_by_the_fit_on_train() -> None:
    train, held_out = checkerboard()
    split = Split(train, held_out, raw([("u0", "i000")]), raw([]))
    for refit in ("none", "valid", "all"):
        outcome = fit(NEAR, split, refit, validate=validation(split))
        assert outcome.valid == pytest.approx(1.0)  # each holdout item is the only unseen one of its parity
    wrong = raw(
        [(user, item.replace("i", "j")) for user, item in held_out.select("user", "item").iter_rows()]
    )
    unknown = Split(train, wrong, split.test, split.known)
    assert fit(NEAR, unknown, "valid", validate=validation(unknown)).valid == 0.0


@dataclass(frozen=True)
class Depth:
    """Item-to-item, of as many neighbours as a judge likes best; notes the rows of every fit."""

    neighbours: int = 1
    fits: list[tuple[int, int, bool]] = field(default_factory=list, compare=False)

    def fit(
        self,
        train: Interactions,
        features: object = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: object = None,
    ) -> Fitted:
        self.fits.append((self.neighbours, train.frame.height, validate is not None))
        report(1, {"neighbours": self.neighbours})
        if validate is None:
            return ItemKNN(neighbours=self.neighbours, shrinkage=0.0).fit(train)
        points = {n: ItemKNN(neighbours=n, shrinkage=0.0).fit(train).scorer for n in (1, 2, 3)}
        best = max(points, key=lambda n: validate(points[n]))
        return Fitted(points[best], {"neighbours": best})


def widest(scorer: Scorer) -> float:
    """Likes many neighbours: how many items have a score."""
    return float((scorer.scores(planted.everybody()) > 0).sum())


@pytest.mark.parametrize(
    ("refit", "fits"),
    [
        ("none", [(1, 32, True)]),
        ("valid", [(1, 32, True), (3, 40, False)]),
        ("all", [(1, 32, True), (3, 40, False), (3, 64, False)]),
    ],
)
def test_what_was_chosen_is_fitted_again_and_nothing_is_chosen_twice(
    refit: Refit, fits: list[tuple[int, int, bool]]
) -> None:
    model, first, later = Depth(), [], []
    outcome = fit(
        model,
        SPLIT,
        refit,
        validate=widest,
        report=lambda step, figures: first.append(step),
        again=lambda step, figures: later.append(step),
    )
    assert model.fits == fits
    assert outcome.chosen == {"neighbours": 3}
    assert (len(first), len(later)) == (1, len(fits) - 1)


def test_without_a_judge_the_options_stay_as_they_are_given() -> None:
    model = Depth(neighbours=2)
    outcome = fit(model, SPLIT, "all", validate=None)
    assert model.fits == [(2, 40, False), (2, 64, False)]
    assert outcome.chosen == {}

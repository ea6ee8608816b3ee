"""How well a score tells chosen pairs from others: the ROC curve, its area, and thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys import seeds
from recsys.errors import InputError
from recsys.evaluation.truth import Truth
from recsys.models.model import Scorer
from recsys.ragged import Ragged

Values = npt.NDArray[np.float64]

USERS_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Roc:
    """The curve of all thresholds: a pair is called chosen where its score is at least the threshold.

    Args:
        thresholds: (n,) falling; the first is infinite, so that nothing is called chosen.
        false_positives: (n,) share of the unobserved pairs that are called chosen, rising from 0 to 1.
        true_positives: (n,) share of the observed pairs that are.
        observed: Number of observed pairs.
        unobserved: Number of the others.
    """

    thresholds: Values
    false_positives: Values
    true_positives: Values
    observed: int
    unobserved: int

    @classmethod
    def of(cls, observed: npt.NDArray[np.floating], unobserved: npt.NDArray[np.floating]) -> Roc:
        """The curve of scores of observed (P,) and unobserved (N,) pairs, higher being more likely chosen.

        Raises:
            InputError: If there are no pairs of one kind.

        Example:
            >>> roc = Roc.of(np.array([3.0, 1.0]), np.array([2.0, 1.0]))
            >>> roc.thresholds.tolist(), roc.true_positives.tolist(), roc.auc
            ([inf, 3.0, 2.0, 1.0], [0.0, 0.5, 0.5, 1.0], 0.625)
        """
        if not len(observed) or not len(unobserved):
            raise InputError(
                f"a ROC curve needs observed and unobserved pairs, not {len(observed)} and "
                f"{len(unobserved)}; "
                "give a test set whose items are known from train and leave some unchosen"
            )
        scores = np.concatenate([observed, unobserved]).astype(np.float64)
        chosen = np.arange(len(scores)) < len(observed)
        order = np.argsort(-scores, kind="stable")
        scores, chosen = scores[order], chosen[order]
        last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # equal scores pass together
        hits = np.cumsum(chosen)[last]
        return cls(
            np.concatenate([[np.inf], scores[last]]),
            np.concatenate([[0.0], (last + 1 - hits) / len(unobserved)]),
            np.concatenate([[0.0], hits / len(observed)]),
            len(observed),
            len(unobserved),
        )

    @property
    def auc(self) -> float:
        """The area under the curve: how often an observed pair outscores an unobserved one, equal ones half.

        Source: Fawcett 2006, An introduction to ROC analysis, section 7 (the trapezoids of algorithm 3).
        """
        return float(np.trapezoid(self.true_positives, self.false_positives))

    def at(self, rate: float) -> tuple[float, float]:
        """The lowest threshold whose false-positive rate is at most ``rate``, and its true-positive rate.

        Raises:
            InputError: If the rate is outside 0..1.

        Example:
            >>> Roc.of(np.array([3.0, 1.0]), np.array([2.0, 0.0])).at(0.5)
            (1.0, 1.0)
        """
        if not 0 <= rate <= 1:
            raise InputError(f"the false-positive rate is {rate}; it must lie in 0..1")
        place = int(np.searchsorted(self.false_positives, rate, side="right")) - 1
        return float(self.thresholds[place]), float(self.true_positives[place])


def roc(
    scorer: Scorer,
    truth: Truth,
    seen: Ragged,
    *,
    each: int = 10,
    seed: int = 0,
    at_once: int = USERS_AT_ONCE,
) -> Roc:
    """The curve of a model's scores of test pairs against unobserved pairs of the same users.

    For every test pair of an item known from train, ``each`` items are drawn uniformly at random, without
    replacement, from those that the user chose neither in train nor in test; all of them if they are fewer.

    Args:
        scorer: A fitted model.
        truth: Who is scored, and what they chose.
        seen: A row for each user code: items chosen in train.
        each: Unobserved pairs for each observed one, at least 1.
        seed: Of the draw.
        at_once: Users scored at a time.

    Raises:
        InputError: If ``each`` is below 1, or there are no pairs of one kind.
    """
    if each < 1:
        raise InputError(f"each is {each}; at least 1 unobserved pair is drawn for each observed one")
    found = list(_scores(scorer, truth, seen, each, seeds.generator(seed, "roc"), at_once))
    observed, unobserved = (np.concatenate([np.zeros(0), *(pair[kind] for pair in found)]) for kind in (0, 1))
    return Roc.of(observed, unobserved)


def _scores(
    scorer: Scorer, truth: Truth, seen: Ragged, each: int, generator: np.random.Generator, at_once: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Scores of each user's observed and unobserved pairs."""
    for start in range(0, len(truth), at_once):
        block = truth.users[start : start + at_once]
        matrix = scorer.scores(block)  # (b, I)
        for place, user in enumerate(block):
            relevant = truth.relevant.row(start + place)
            free = np.ones(truth.items, dtype=np.bool_)
            free[seen.row(int(user))] = False
            free[relevant] = False
            others = np.flatnonzero(free)
            drawn = generator.choice(others, min(each * len(relevant), len(others)), replace=False)
            yield matrix[place, relevant], matrix[place, drawn]

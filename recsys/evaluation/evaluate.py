"""Full ranking of all items for every test user, and every metric on those lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from recsys.columns import USER
from recsys.errors import InputError
from recsys.evaluation.evaluation import Evaluation
from recsys.evaluation.names import DEFAULT, metric
from recsys.evaluation.ranked import Ranked
from recsys.evaluation.truth import Truth
from recsys.models.model import Scorer
from recsys.ragged import Ragged
from recsys.retrieval.index.index import Index
from recsys.retrieval.ranking import rank


def evaluate(
    scorer: Scorer,
    truth: Truth,
    seen: Ragged,
    *,
    index: Index | None = None,
    metrics: Sequence[str] = DEFAULT,
    train: Ragged | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Score a model on held-out items.

    The lists are made once, as long as the largest cut-off asks; every metric reads them.

    Args:
        scorer: A fitted model.
        truth: The users to score, and their held-out items.
        seen: A row for each user code: items left out of the lists (and what counts as chosen for novelty).
        index: Lists come from it instead of the exact ranking.
        metrics: Names such as ``recall@20``.
        train: What counts as chosen for novelty where that is not ``seen``: a row for each training user.
        advance: Called with the number of users ranked since the last call.

    Returns:
        Values, values per user, and counts.

    Raises:
        InputError: If a metric is unknown, none is given, or no user can be scored.
    """
    parts = {name: metric(name) for name in metrics}
    if not parts:
        raise InputError(f"no metric was given; the default is {', '.join(DEFAULT)}")
    if not len(truth):
        raise InputError(
            "no user of the test or validation set is in train, so no model can be scored "
            f"({truth.cold_users} users are unknown); split by time or user in another way"
        )
    codes, _ = rank(scorer, truth.users, max(part.k for part in parts.values()), seen, index, advance)
    log = seen if train is None else train
    chosen = np.bincount(log.indices, minlength=truth.items)
    ranked = Ranked.of(codes, truth.relevant, truth.sizes, chosen, len(log))
    found = {name: part(ranked) for name, part in parts.items()}
    per_user = {name: values for name, values in found.items() if parts[name].per_user}
    return Evaluation(
        {name: _mean(values) for name, values in found.items()},
        pl.DataFrame({USER: truth.user_ids, **per_user}),
        truth.counts(),
        ranked,
    )


def _mean(values: np.typing.NDArray[np.float64]) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")

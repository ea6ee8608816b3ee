"""Alternating least squares by ``implicit``: the baseline that a new model has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys import seeds
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings, FoldIn
from recsys.errors import RecsysError
from recsys.models.model import Fitted, Grid, Report, Validate, silent
from recsys.models.weighting import check_weighting, weighted


@dataclass(frozen=True)
class ALS:
    """Weighted matrix factorisation: what was chosen should score 1, all else 0 with less confidence.

    Minimises ``sum over (u, i) of c_ui (p_ui - x_u . y_i)^2 + regularization (sum |x_u|^2 + sum |y_i|^2)``,
    where p is 1 and c is ``alpha weight`` for an interaction, and p is 0 and c is 1 for all other pairs. The
    score is the inner product. The defaults are a fair middle; quality depends on ``alpha`` and
    ``regularization`` by a factor of two, and on a log of counts with a long tail (plays, quantities) on
    ``weighting``, so tune them (``recsys.models.tuning``).

    One iteration costs about ``interactions * dim * 8`` multiplications plus
    ``(users + items) * dim^2 * 4``: on two cores 12 iterations take 2 s for 0.8 M interactions at ``dim`` 64,
    and grow linearly with the log.

    Args:
        dim: Length of a vector, at least 1.
        regularization: Weight of the squared length of the vectors, at least 0.
        alpha: Confidence of an interaction of weight 1, above 0.
        iterations: Times that users and then items are solved for, at least 1.
        weighting: What the weight of an interaction is: raw (that of the log), none (1), log1p or bm25; see
            ``recsys.models.weighting``.
        seed: Of the start.

    Raises:
        ValueError: If an option is outside its range.

    Source: Hu, Koren and Volinsky 2008, Collaborative filtering for implicit feedback datasets, equation 3,
    with confidence ``alpha r`` where the paper has ``1 + alpha r``; solved by conjugate gradients (Takács,
    Pilászy and Tikk 2011).
    """

    dim: int = 64
    regularization: float = 30.0
    alpha: float = 20.0
    iterations: int = 12
    weighting: str = "raw"
    seed: int = 0

    # 16 fits, 28 where weights differ: half a minute in all for 0.8 M interactions at dim 64 on two cores,
    # linear in the log.
    grid: ClassVar[Grid] = {
        "weighting": ("none", "raw", "log1p", "bm25"),
        "alpha": (1.0, 5.0, 20.0, 60.0),
        "regularization": (0.1, 3.0, 30.0, 100.0),
    }

    def __post_init__(self) -> None:
        for name, value in (("dim", self.dim), ("iterations", self.iterations)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        if not 0 <= self.regularization < np.inf:
            raise ValueError(f"regularization is {self.regularization}; it must be at least 0")
        if not 0 < self.alpha < np.inf:
            raise ValueError(f"alpha is {self.alpha}; it must be above 0")
        check_weighting(self.weighting)

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Factorise; see ``Model.fit``. Nothing is chosen or kept; ``report`` is called after each iteration.

        Raises:
            RecsysError: If the vectors are not finite.
        """
        from implicit.cpu.als import AlternatingLeastSquares
        from implicit.recommender_base import ModelFitError
        from scipy import sparse
        from threadpoolctl import threadpool_limits

        confidence = weighted(train, self.weighting)
        # implicit runs a thread a core over the rows; BLAS threads inside those would only wait.
        with threadpool_limits(limits=1, user_api="blas"):
            solver = AlternatingLeastSquares(
                factors=self.dim,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                random_state=seeds.derive(self.seed, "als") % 2**32,
            )
            try:
                solver.fit(
                    sparse.csr_matrix(confidence),
                    show_progress=False,
                    callback=lambda step, seconds, loss: report(step + 1, {"seconds": seconds}),
                )
            except ModelFitError as error:
                raise RecsysError(
                    f"ALS gave vectors that are not finite with alpha {self.alpha}, regularization "
                    f"{self.regularization} and weighting {self.weighting}; raise the regularization, take "
                    "weighting log1p, or check the weights of the log"
                ) from error
        # A history has no weights: each of its items has the confidence that an interaction has on average.
        mean = self.alpha * float(confidence.data.mean(dtype=np.float64))
        scorer = Embeddings(
            solver.user_factors,
            solver.item_factors,
            train.users,
            train.items,
            "dot",
            fold_in=FoldIn("least_squares", {"alpha": mean, "regularization": self.regularization}),
        )
        return Fitted(scorer)

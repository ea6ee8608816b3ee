"""A model whose options are chosen on the validation set, as a part of other models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.models.composition import named, nested, seeded
from recsys.models.model import Fitted, Report, Validate, makes_vectors, silent
from recsys.models.tuning import grid_of, tune


@dataclass(frozen=True)
class Tuned:
    """The best point of the grid that the model is tuned over when it is a baseline.

    Options that are given stay as they are. Without a validation set there is nothing to choose by: the model
    is fitted as it is given. Defaults of the model are not written out in it, as they are in other parts
    (``as_given``): an option that stands there is no longer chosen.

    Args:
        of: The model: its name, or name and options. One without a grid is fitted as it is given.
        seed: Of the model, where that sets none.
    """

    of: str | Mapping[str, Any] = "als"
    seed: int = 0

    as_given: ClassVar[tuple[str, ...]] = ("of",)

    @property
    def item_to_item(self) -> bool:
        """Whether the model that is tuned is made of no vectors."""
        name, options = named(self.of, "model")
        return not makes_vectors(nested(name, options, self.seed))

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Try the grid and fit its best point; see ``Model.fit``. ``of`` is chosen by ``validate``."""
        name, options = named(self.of, "model")
        grid = {key: values for key, values in grid_of(name).items() if key not in options}
        if validate is None or not grid:
            return nested(name, options, self.seed).fit(
                train, features, validate=validate, report=report, checkpoints=checkpoints
            )
        fixed = seeded(name, options, self.seed)
        best = tune(name, grid, train, validate, fixed, features=features, report=report).options
        fitted = nested(name, best, self.seed).fit(train, features, report=report, checkpoints=checkpoints)
        return Fitted(fitted.scorer, {"of": {"name": name, **best}})

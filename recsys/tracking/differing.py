"""Settings in which runs differ: those given or chosen, not the defaults of each kind of model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from recsys import plugins
from recsys.errors import InputError

# Defaults of the settings that no part owns.
OF_A_RUN: Final = {"seed": "0", "refit": "valid", "index": "exact"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model was made.

    Args:
        kind: Name of the model.
        settings: By dotted path, as ``dim``, ``loss``, ``loss.margin``, ``chosen.epochs``.
        chosen: The settings that were chosen, though they may be the default.
        baseline: Whether it is a baseline, which has no settings of a run.
    """

    kind: str
    settings: Mapping[str, str]
    chosen: frozenset[str] = frozenset()
    baseline: bool = False

    def part(self, key: str) -> tuple[str, str, str]:
        """The part that a setting belongs to: two parts may have settings of one name."""
        owner = key.rpartition(".")[0]
        return self.kind, owner, self.settings.get(owner, "")

    def default(self, key: str) -> str | None:
        """The default of a setting; None if it has none."""
        if key in OF_A_RUN:
            return OF_A_RUN[key]
        kind, owner, part = self.part(key)
        name = key.removeprefix(f"{owner}.")
        model = owner.rpartition(".")[0]
        shared = f"{model}.{name}" if model else name
        if owner and shared in self.settings:  # an option that its model has too takes the model's value
            return self.settings[shared]
        family = plugins.NESTED.get(owner.rpartition(".")[2]) if owner else "models"
        if family is None:
            return None
        try:
            options = plugins.part(family, part if owner else kind).options
        except InputError:  # a part that is not installed here: all its settings are named
            return None
        default = next((option.default for option in options if option.name == name), plugins.REQUIRED)
        if default is plugins.REQUIRED or isinstance(default, str):
            return default if isinstance(default, str) else None
        return json.dumps(default)


def differing(recipes: Sequence[Recipe]) -> list[dict[str, str]]:
    """The settings of each recipe in which it differs from the others.

    A setting that was given or chosen is named unless all recipes have it; a default only where another
    recipe has another value for the same part. So a comparison of two kinds of model does not list all the
    settings that one has and the other has not.

    Example:
        >>> als, ease = Recipe("als", {"alpha": "5.0", "dim": "64"}), Recipe("ease", {"shrinkage": "9"})
        >>> differing([als, Recipe("als", {"alpha": "1.0", "dim": "64"}), ease])
        [{'alpha': '5.0'}, {'alpha': '1.0'}, {'shrinkage': '9'}]
    """
    of_part: dict[tuple[object, str], set[str]] = {}
    for recipe in recipes:
        for key, value in recipe.settings.items():
            of_part.setdefault((recipe.part(key), key), set()).add(value)
    named = []
    for recipe in recipes:
        rivals = [other for other in recipes if other.baseline == recipe.baseline]
        named.append(
            {
                key: value
                for key, value in recipe.settings.items()
                if any(other.settings.get(key) != value for other in rivals)
                and (
                    len(of_part[recipe.part(key), key]) > 1
                    or key in recipe.chosen
                    or recipe.default(key) != value
                )
            }
        )
    return named

"""A model inside a model: by its name, or by its name and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from recsys import plugins
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.model import Model, Report, Validate, makes_vectors

# A part by its name, or by its name and options: "triplet" or {"name": "triplet", "margin": 0.2}.
Choice: TypeAlias = str | Mapping[str, Any]


def named(part: str | Mapping[str, Any], kind: str = "part") -> tuple[str, dict[str, Any]]:
    """The name and the options of a part of any kind.

    Raises:
        InputError: If there is no name.

    Example:
        >>> named({"name": "als", "dim": 8})
        ('als', {'dim': 8})
    """
    if isinstance(part, str):
        return part, {}
    options = dict(part)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise InputError(
            f"{dict(part)} names no {kind}; write it as a name, or as {{name: NAME, OPTION: VALUE}}"
        )
    return name, options


def nested(name: str, options: Mapping[str, Any], seed: int) -> Model:
    """Make the model; its seed is ``seed`` unless the options set one.

    Raises:
        InputError: If the model or an option is unknown, or a value is refused.
    """
    model: Model = plugins.make("models", name, seeded(name, options, seed))
    return model


def nested_vectors(part: str | Mapping[str, Any], seed: int) -> Model:
    """Make a model of vectors.

    Raises:
        InputError: If there is no such model, an option or value is refused, or it scores from item to item.
    """
    name, options = named(part, "model")
    model = nested(name, options, seed)
    if not makes_vectors(model):
        raise InputError(f"{name} scores from item to item and has no vectors; take a model that has")
    return model


def fit_nested(
    part: str | Mapping[str, Any],
    seed: int,
    train: Interactions,
    features: Features | None,
    *,
    validate: Validate | None,
    report: Report,
    checkpoints: Path | None,
) -> tuple[Embeddings, dict[str, Any]]:
    """Fit a model of vectors; returns them, and the model as it is to be fitted again."""
    name, options = named(part, "model")
    fitted = nested_vectors(part, seed).fit(
        train, features, validate=validate, report=report, checkpoints=checkpoints
    )
    assert isinstance(fitted.scorer, Embeddings), "a model that makes vectors"
    return fitted.scorer, {"name": name, **options, **fitted.chosen}


def draws(parts: Sequence[str | Mapping[str, Any]], seed: int) -> list[int]:
    """A seed for each model; those of equal ones differ, also from the draws of another ``seed``.

    Example:
        >>> draws(["als", "spectral", {"name": "als"}], 0), draws(["als", "spectral", "als"], 1)
        ([0, 0, 1], [2, 1, 3])
    """
    alike = [named(part, "model") for part in parts]
    return [seed * alike.count(each) + alike[:number].count(each) for number, each in enumerate(alike)]


def seeded(name: str, options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The options, and ``seed`` where the model takes one and they set none.

    Raises:
        InputError: If there is no such model.

    Example:
        >>> seeded("als", {"dim": 8}, 7), seeded("popularity", {}, 7)
        ({'seed': 7, 'dim': 8}, {})
    """
    takes = {option.name for option in plugins.part("models", name).options}
    return {**({"seed": seed} if "seed" in takes else {}), **options}

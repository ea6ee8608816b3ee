"""Build the model of a configuration."""

from __future__ import annotations

from recsys import plugins
from recsys.models.model import Model
from recsys.pipeline.config import ModelSection, described


def build_model(section: ModelSection, seed: int) -> Model:
    """Make the model, with every default written out; its seed is the run's unless the section sets one.

    Its parts are made once too, so that a value that a part refuses is found before any work begins.

    Raises:
        InputError: If the model, a part or an option is unknown, or a value is refused.
    """
    full = described(section, seed)
    options = {key: value for key, value in full.items() if key != "name"}
    for key in options.keys() & plugins.NESTED.keys():
        parts = options[key] if isinstance(options[key], list | tuple) else [options[key]]
        for part in parts:
            plugins.make(
                plugins.NESTED[key], part["name"], {name: part[name] for name in part if name != "name"}
            )
    model: Model = plugins.make("models", section.name, options)
    return model

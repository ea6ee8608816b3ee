"""From a configuration to the objects that do the work."""

from __future__ import annotations

from recsys import plugins
from recsys.models.model import Model
from recsys.pipeline.config import ModelSection


def build_model(section: ModelSection, seed: int) -> Model:
    """Make the model; its seed is the run's unless the section sets one.

    Raises:
        InputError: If the model or an option is unknown, or a value is refused.
    """
    takes = {option.name for option in plugins.part("models", section.name).options}
    given = {"seed": seed} if "seed" in takes else {}
    model: Model = plugins.make("models", section.name, given | section.options)
    return model

"""Which losses and distances go together, told from their sources alone: no torch is imported."""

from __future__ import annotations

from recsys import plugins


def faults(loss: str, distance: str) -> list[str]:
    """What is wrong with a loss on a distance; an empty list where they go together.

    Raises:
        InputError: If there is no such loss or distance.

    Example:
        >>> faults("triplet", "euclidean")
        []
    """
    needs = plugins.part("losses", loss)
    if not needs.constants["needs_bounded"] or plugins.part("distances", distance).constants["bounded"]:
        return []
    takes = [
        name for name in plugins.names("distances") if plugins.part("distances", name).constants["bounded"]
    ]
    return [
        f"{needs.name} needs a score in [-1, 1], which {distance!r} does not give; "
        f"it takes: {', '.join(takes)}"
    ]

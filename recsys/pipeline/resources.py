"""The pipeline files that come with the package."""

from __future__ import annotations

from pathlib import Path

from recsys.errors import RecsysError


def shipped(name: str) -> Path:
    """Path of ``pipelines/<name>.yaml``: inside an installed package, or beside it in a checkout.

    Raises:
        RecsysError: If it is in neither place.
    """
    package = Path(__file__).parents[1]
    places = [package / "pipelines" / f"{name}.yaml", package.parent / "pipelines" / f"{name}.yaml"]
    for place in places:
        if place.exists():
            return place
    folders = " nor in ".join(str(place.parent) for place in places)
    raise RecsysError(f"{name}.yaml is neither in {folders}; install recsys again")

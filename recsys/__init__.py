"""recsys: a recommender system on metric embeddings.

Example:
    ::

        import recsys

        data = recsys.read("ratings.csv").split("time:0.2")
        run = recsys.train(data, loss="triplet", distance="cosine")
        run.recommend("42", k=10)
        recsys.open("champion").export("lists.parquet", k=50)
"""

from typing import TYPE_CHECKING, Any

from recsys.version import __version__

if TYPE_CHECKING:
    from recsys.api import Log, Run, open, read, train

__all__ = ["Log", "Run", "__version__", "open", "read", "train"]


def __getattr__(name: str) -> Any:
    """Import the interface when it is first used, so that ``import recsys`` costs nothing."""
    if name in {"Log", "Run", "open", "read", "train"}:
        from recsys import api

        return getattr(api, name)
    raise AttributeError(f"module 'recsys' has no attribute {name!r}")

"""recsys: a recommender system on metric embeddings.

Example:
    ::

        import recsys

        data = recsys.read("ratings.csv").split("time:0.2")
        run = recsys.train(data, loss="triplet", distance="cosine")
        run.recommend("42", k=10)
        recsys.open("champion").export("lists.parquet", k=50)
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.api import Log, Run, open, read, train

# Threads of torch that wait for each other shall spin for microseconds, then sleep. On two cores of which one
# was busy, the usual long spin made a training step 30 times slower; no spin at all costs a quiet machine a
# third of its speed. Read by the OpenMP runtime when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

__version__ = "0.1.0"
__all__ = ["Log", "Run", "__version__", "open", "read", "train"]


def __getattr__(name: str) -> Any:
    """Import the interface when it is first used, so that ``import recsys`` costs nothing."""
    if name in {"Log", "Run", "open", "read", "train"}:
        from recsys import api

        return getattr(api, name)
    raise AttributeError(f"module 'recsys' has no attribute {name!r}")

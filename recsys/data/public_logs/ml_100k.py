"""MovieLens 100K."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.movielens import NOT_REDISTRIBUTED, archive
from recsys.data.public_logs.public_log import Remote


class ML100K:
    """MovieLens 100K: 100,000 ratings of 1,682 films by 943 people, 1997-1998."""

    page: ClassVar[str] = "https://grouplens.org/datasets/movielens/100k/"
    licence: ClassVar[str] = NOT_REDISTRIBUTED
    files: ClassVar[tuple[Remote, ...]] = archive(
        "ml-100k", ("README", "u.data", "u.item", "u.user", "u.genre")
    )
    etl: ClassVar[str] = "recsys etl {raw}/ml-100k/u.data"

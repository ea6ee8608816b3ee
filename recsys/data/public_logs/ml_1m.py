"""MovieLens 1M."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.movielens import NOT_REDISTRIBUTED, archive
from recsys.data.public_logs.public_log import Remote


class ML1M:
    """MovieLens 1M: 1,000,209 ratings of 3,706 films by 6,040 people, 2000-2003."""

    page: ClassVar[str] = "https://grouplens.org/datasets/movielens/1m/"
    licence: ClassVar[str] = NOT_REDISTRIBUTED
    files: ClassVar[tuple[Remote, ...]] = archive("ml-1m")
    etl: ClassVar[str] = "recsys etl {raw}/ml-1m/ratings.dat"

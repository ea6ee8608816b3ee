"""MovieLens 32M."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.movielens import REDISTRIBUTED, archive
from recsys.data.public_logs.public_log import Remote


class ML32M:
    """MovieLens 32M: 32,000,204 ratings of 87,585 films by 200,948 people, 1995-2023."""

    page: ClassVar[str] = "https://grouplens.org/datasets/movielens/32m/"
    licence: ClassVar[str] = REDISTRIBUTED
    files: ClassVar[tuple[Remote, ...]] = archive("ml-32m")
    etl: ClassVar[str] = "recsys etl {raw}/ml-32m/ratings.csv"

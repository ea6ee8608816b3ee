"""MovieLens latest, small."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.movielens import REDISTRIBUTED, archive
from recsys.data.public_logs.public_log import Remote


class MLLatestSmall:
    """MovieLens latest, small: about 100,000 ratings of 9,000 films by 600 people."""

    page: ClassVar[str] = "https://grouplens.org/datasets/movielens/latest/"
    licence: ClassVar[str] = REDISTRIBUTED
    files: ClassVar[tuple[Remote, ...]] = archive("ml-latest-small")
    etl: ClassVar[str] = "recsys etl {raw}/ml-latest-small/ratings.csv"

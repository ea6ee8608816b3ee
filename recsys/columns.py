"""Names of the columns that every table of this package uses."""

from typing import Final

USER: Final = "user"
ITEM: Final = "item"
TIME: Final = "time"
WEIGHT: Final = "weight"
RANK: Final = "rank"
SCORE: Final = "score"
TITLE: Final = "title"

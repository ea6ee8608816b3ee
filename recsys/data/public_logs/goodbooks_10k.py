"""goodbooks-10k."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.public_log import GITHUB, Remote


class Goodbooks10k:
    """goodbooks-10k: six million ratings of the 10,000 most rated books, without times."""

    page: ClassVar[str] = "https://github.com/zygmuntz/goodbooks-10k"
    licence: ClassVar[str] = "CC BY-SA 4.0"
    files: ClassVar[tuple[Remote, ...]] = tuple(
        Remote(f"{GITHUB}zygmuntz/goodbooks-10k/master/{file}", file) for file in ("ratings.csv", "books.csv")
    )
    etl: ClassVar[str] = (
        "recsys etl {raw}/goodbooks-10k/ratings.csv --items {raw}/goodbooks-10k/books.csv --name goodbooks"
    )

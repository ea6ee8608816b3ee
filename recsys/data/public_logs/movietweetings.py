"""MovieTweetings."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.public_log import GITHUB, Remote


class MovieTweetings:
    """MovieTweetings: ratings of films that people posted on Twitter, 2013-2021."""

    page: ClassVar[str] = "https://github.com/sidooms/MovieTweetings"
    licence: ClassVar[str] = "MIT"
    files: ClassVar[tuple[Remote, ...]] = tuple(
        Remote(f"{GITHUB}sidooms/MovieTweetings/master/{path}", path.rpartition("/")[2])
        for path in ("latest/ratings.dat", "latest/movies.dat", "latest/users.dat", "LICENSE")
    )
    etl: ClassVar[str] = "recsys etl {raw}/movietweetings/ratings.dat --name movietweetings"

"""What the MovieLens logs share: the terms of GroupLens, and an archive with its MD5 beside it."""

from __future__ import annotations

from typing import Final

from recsys.data.public_logs.public_log import Remote

_RESEARCH: Final = (
    "for research; no commercial use without the permission of GroupLens (University of Minnesota), name the "
    "source in publications, imply no endorsement"
)
NOT_REDISTRIBUTED: Final = f"{_RESEARCH}; may not be passed on without permission"
REDISTRIBUTED: Final = f"{_RESEARCH}; may be passed on under the same terms"


def archive(name: str, keep: tuple[str, ...] = ()) -> tuple[Remote, ...]:
    """The archive of a log; ``keep`` are the only files to unpack, all where it is empty."""
    url = f"https://files.grouplens.org/datasets/movielens/{name}.zip"
    return (Remote(url, f"{name}.zip", md5_beside=True, keep=keep),)

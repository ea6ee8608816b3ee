"""Yelp 2018, split as in papers."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs import lightgcn
from recsys.data.public_logs.lightgcn import PAGE, TERMS
from recsys.data.public_logs.public_log import Remote


class Yelp2018:
    """Yelp 2018, split as in papers: 31,668 people, 38,048 places, 1,561,406 pairs."""

    page: ClassVar[str] = PAGE
    licence: ClassVar[str] = TERMS + "the Yelp Dataset, under Yelp's own terms (academic use)"
    files: ClassVar[tuple[Remote, ...]] = lightgcn.files("yelp2018")
    etl: ClassVar[str] = lightgcn.etl("yelp2018")

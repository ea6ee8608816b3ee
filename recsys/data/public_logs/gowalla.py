"""Gowalla check-ins, split as in papers."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs import lightgcn
from recsys.data.public_logs.lightgcn import PAGE, TERMS
from recsys.data.public_logs.public_log import Remote


class Gowalla:
    """Gowalla check-ins, split as in papers: 29,858 people, 40,981 places, 1,027,370 pairs."""

    page: ClassVar[str] = PAGE
    licence: ClassVar[str] = TERMS + "SNAP's loc-gowalla (Cho, Myers, Leskovec 2011)"
    files: ClassVar[tuple[Remote, ...]] = lightgcn.files("gowalla")
    etl: ClassVar[str] = lightgcn.etl("gowalla")

"""UCI Online Retail."""

from __future__ import annotations

from typing import ClassVar

from recsys.data.public_logs.public_log import Remote


class OnlineRetail:
    """UCI Online Retail: 541,909 lines of invoices of a British gift shop, 2010-2011."""

    page: ClassVar[str] = "https://archive.ics.uci.edu/dataset/352/online+retail"
    licence: ClassVar[str] = (
        "CC BY 4.0; name: Chen (2015), Online Retail, UCI Machine Learning Repository, doi 10.24432/C5BW33"
    )
    files: ClassVar[tuple[Remote, ...]] = (
        Remote("https://archive.ics.uci.edu/static/public/352/data.csv", "online-retail.csv"),
    )
    etl: ClassVar[str] = "recsys etl {raw}/online-retail/online-retail.csv --keep 'Quantity > 0'"

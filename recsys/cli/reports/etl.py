"""The report of ``recsys etl``: what became of each row, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.data.dataset import PARTS, Dataset

if TYPE_CHECKING:
    from rich.console import Console


def report(dataset: Dataset, console: Console) -> None:
    """Print where every row went, the parts, what test has that train has not, and the next step."""
    manifest = dataset.manifest
    _rows(manifest["counts"], console)
    _parts(manifest, console)
    rejected = sum(manifest["counts"]["rejected"].values())
    if rejected:
        console.print(f"unusable rows, each with file, line and reason: {dataset.folder / 'rejects.parquet'}")
    console.print(
        f"dataset [bold]{dataset.name}[/bold] ({dataset.hash[:12]}) is in {dataset.folder}; "
        "it is the current one"
    )
    console.print("next: recsys train")


def _rows(counts: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column()
    read = counts["read"]
    table.add_row(f"{read:,}", "rows read")
    for reason, count in counts["rejected"].items():
        table.add_row(f"-{count:,}", f"unusable: {reason}")
    for rule, count in counts["dropped"].items():
        table.add_row(f"-{count:,}", f"left out: {rule}")
    for key, meaning in (
        ("merged", "repeats of a user and item, merged (--on-repeat)"),
        ("in_train", "test rows whose user and item are in train as well"),
        ("outside_core", "train rows below --min-user or --min-item"),
    ):
        if counts[key]:
            table.add_row(f"-{counts[key]:,}", meaning)
    table.add_row(f"{sum(counts[part] for part in PARTS):,}", "interactions kept")
    console.print(table)


def _parts(manifest: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title_justify="left")
    for column in (f"split {manifest['split']['name']}", "rows", "users", "items", "from", "to"):
        table.add_column(column, justify="right" if column in ("rows", "users", "items") else "left")
    for part in PARTS:
        sizes = manifest["sizes"][part]
        numbers = (f"{sizes[key]:,}" for key in ("rows", "users", "items"))
        table.add_row(part, *numbers, sizes.get("from", ""), sizes.get("to", ""))
    console.print(table)
    test = manifest["sizes"]["test"]
    if test["cold_users"] or test["cold_items"]:
        console.print(
            f"test has {test['cold_users']:,} users ({test['cold_user_rows']:,} rows) and "
            f"{test['cold_items']:,} items ({test['cold_item_rows']:,} rows) unknown to train and valid; "
            "they are kept and counted"
        )

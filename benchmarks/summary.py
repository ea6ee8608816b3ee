"""The first table of RESULTS.md: ours, the best baseline, published figures, the goal: a line per claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

# A row of a table by the text in its first column; its cells by the heads of their columns.
Tables = Callable[[str], Mapping[str, Mapping[str, Any]]]

COLUMNS: Final = ["measured", "default", "best of ours", "best baseline or peer", "published", "goal"]
# NDCG@20 of the best model in print that one index can serve (SimpleX's and NESCL's tables for the first two,
# the SL@K paper for the others; chosen on the test set by their authors), and what we aim at.
PUBLISHED: Final[Mapping[str, tuple[str, str]]] = {
    "gowalla": (".1617 (NESCL)", ".165"),
    "movielens1m_m1": (".2662 (SL)", ".273"),
    "ir-amazon2014-electronic": (".0591 (LightGCN, SL@20)", ".067"),
    "ir-amazon2014-health": (".1390 (MF, SL@20)", ".149"),
}
BASELINES: Final = ("popularity", "als", "spectral", "ease")


@dataclass(frozen=True)
class Speed:
    """One measured speed: ``ours`` and ``peer`` are rows of a table, ``column`` is what is compared."""

    title: str
    table: str
    column: str
    ours: str
    peer: str | None
    goal: str


SPEEDS: Final = (
    Speed("a list from a cold process, seconds", "startup", "seconds",
          "recsys recommend --user 42, 40,000 items, annoy",
          "python, numpy, typer and rich imported (floor)", ".35"),
    Speed("a training step (triplet), ms", "step", "ms", "triplet", "three bfloat16 products, the floor",
          "2 x the floor"),
    Speed("exact top-20 of gowalla, users/s", "ranking", "users/s, best", "ours: rank",
          "implicit recommend", "3 x implicit"),
    Speed("ETL of 20 M rows, times polars", "etl", "times polars", "recsys etl",
          "polars streaming by hand", "1.2"),
)  # fmt: skip


def summary(tables: Tables) -> list[list[Any]]:
    """Rows of the table, made of the other tables; what was never measured is left out."""
    return [*_splits(tables), *_logs(tables), *_speeds(tables)]


def _splits(tables: Tables) -> Iterator[list[Any]]:
    for split, (published, goal) in PUBLISHED.items():
        table = {name: row["NDCG@20"] for name, row in tables(f"quality-{split}").items()}
        beside = {name: value for name, value in table.items() if name.startswith(BASELINES)}
        ours = {name: value for name, value in table.items() if name not in beside}
        if ours and beside:
            default = f"{table['two_tower']:.4f}" if "two_tower" in table else None
            yield [f"{split}, NDCG@20", default, _best(ours), _best(beside), published, goal]


def _logs(tables: Tables) -> Iterator[list[Any]]:
    for log, row in tables("defaults").items():
        ours = {name: row[name] for name in ("default", "triplet", "blend")}
        baseline = f"{row['best baseline']:.4f} ({row['']})"
        yield [f"{log}, NDCG@20", f"{row['default']:.4f}", _best(ours), baseline, None, "above"]


def _speeds(tables: Tables) -> Iterator[list[Any]]:
    for each in SPEEDS:
        table = tables(each.table)
        if each.ours in table:
            peer = None if each.peer is None else f"{_number(table[each.peer][each.column])} ({each.peer})"
            yield [each.title, table[each.ours][each.column], None, peer, None, each.goal]


def _best(values: Mapping[str, float]) -> str:
    name = max(values, key=lambda each: values[each])
    return f"{values[name]:.4f} ({name})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"

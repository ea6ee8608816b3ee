"""Report on users missing from train: how they are folded in, and the metrics by length of history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

SHOWN: Final = "ndcg@20"


def render_unseen(console: Console, models: Mapping[str, Mapping[str, Any]]) -> None:
    """Print notes and tables of unseen users, if any; ``models``: name -> stored results."""
    first = next(iter(models.values()))
    if "fold_in" in first:
        console.print(_served(first["fold_in"]))
    if first.get("history_curve"):
        console.print(curve_table(models))
    if "warm_up" in first:
        _warm_up(console, models)


def curve_table(models: Mapping[str, Mapping[str, Any]]) -> Table:
    """Metrics by the length of the history, one column per model."""
    curves = {name: model["history_curve"] for name, model in models.items() if model.get("history_curve")}
    lengths = next(iter(curves.values()))
    shown = _shown(next(iter(lengths.values()))["metrics"])
    title = f"{shown} by the newest items of the history that the model is given; half of the 95 % interval"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("items", "users with as many", *curves):
        table.add_column(name, justify="right")
    for length, one in lengths.items():
        values = (_cell(curve[length], shown) for curve in curves.values())
        table.add_row(length, f"{one['users']:,}", *values)
    return table


def _served(counts: Mapping[str, float]) -> str:
    share, items = 100 * counts["share"], counts["history_items"]
    return (
        f"none of the test users is in train: each is folded in with the oldest {share:.0f} % of their rows "
        f"({items:,} known items in all) and scored on the rest; "
        f"{counts['too_few_rows']:,} users with a single row are left out, and the cold ones are the "
        f"{counts['unknown_history']:,} whose history holds no item known from train."
    )


def _warm_up(console: Console, models: Mapping[str, Mapping[str, Any]]) -> None:
    counts = next(iter(models.values()))["warm_up"]
    rows = f"{counts['rows']} row{'' if counts['rows'] == 1 else 's'}"
    console.print(
        f"cold users, folded in with their first {rows}: {counts['users']:,} users, scored on "
        f"{counts['asked_rows']:,} later rows; {counts['too_few_rows']:,} users have no more rows than that, "
        f"and the first rows of {counts['unknown_history']:,} hold no item known from train."
    )
    if "metrics" not in counts:
        return
    names = [name for name in ("recall@10", "recall@20", "ndcg@10", "ndcg@20") if name in counts["metrics"]]
    names = names or list(counts["metrics"])[:4]
    title = f"cold users, folded in with their first {rows}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    for name in names:
        table.add_column(name, justify="right")
    for model, stored in models.items():
        if "metrics" in stored.get("warm_up", {}):
            table.add_row(model, *(_cell(stored["warm_up"], name) for name in names))
    console.print(table)


def _shown(metrics: Mapping[str, Any]) -> str:
    return SHOWN if SHOWN in metrics else next(iter(metrics))


def _cell(values: Mapping[str, Any], name: str) -> str:
    value, (low, high) = values["metrics"][name], values["intervals"][name]
    if value is None:
        return "-"
    return f"{value:.4f}" + ("" if low is None or high is None else f" ±{(high - low) / 2:.4f}")

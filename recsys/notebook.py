"""A run, a list, a comparison and a dataset as HTML: what a notebook shows of them.

Plain values in, one self-contained table out. Every text is escaped, styles are on the elements (a notebook
that is not trusted drops style sheets), and colours are those of the page, so that a dark one stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

SHOWN: Final = ("ndcg@10", "ndcg@20", "recall@10", "recall@20", "mrr@20", "coverage@20")
LEGEND: Final = (
    "± is half of the 95 % interval over users; * where the interval of a difference leaves out 0."
)
_LEFT: Final = "text-align:left;padding:.25em .8em;"
_RIGHT: Final = "text-align:right;white-space:nowrap;padding:.25em .8em;font-variant-numeric:tabular-nums;"
_SOFT: Final = "opacity:.65;"


def run(manifest: Mapping[str, Any], metrics: Sequence[str] = SHOWN) -> str:
    """A run beside its baselines: each metric on the test set with its interval and the paired difference.

    Args:
        manifest: ``run.json``.
        metrics: Which to show, of those that were measured; all of them where none of these was.
    """
    shown = [name for name in metrics if name in manifest["metrics"]] or list(manifest["metrics"])
    rows = [
        [escape(_model(manifest)), *(_value(manifest, name) for name in shown)],
        *(
            row
            for name, baseline in manifest["baselines"].items()
            for row in _baseline(name, baseline, shown)
        ),
    ]
    counts = manifest["counts"]
    below = (
        f"Test set: {counts['users']:,} users, {counts['test_rows']:,} interactions; "
        f"{counts['cold_users']:,} cold users are left out. {LEGEND}"
    )
    return _table(f"{manifest['run']} on {manifest['dataset']['name']}", ["model", *shown], rows, below)


def recommendations(lists: Iterable[Mapping[str, Any]]) -> str:
    """Lists as ``Recommendation.document`` has them: one table per user, with titles where there are any."""
    return "".join(_list(each) for each in lists)


def comparison(document: Mapping[str, Any]) -> str:
    """Runs side by side, as ``Comparison.document`` has them: values with intervals, paired differences."""
    metric, baseline = document["metric"], document.get("best_baseline")
    head = ["#", "run", metric, "to the best", *([f"to {baseline}"] if baseline else []), "fit s"]
    rows = []
    for row in document["rows"]:
        name = row["run"] if row["baseline"] is None else f"{row['baseline']} (baseline)"
        what = ", ".join(f"{key}={value}" for key, value in sorted(row["options"].items()))
        rows.append(
            [
                str(row["rank"]),
                escape(name) + (f'<br><small style="{_SOFT}">{escape(what)}</small>' if what else ""),
                _with_half(row["value"], *row["interval"]),
                _difference(row["to_best"]),
                *([_difference(row["to_baseline"])] if baseline else []),
                _number(row["seconds"], ".1f"),
            ]
        )
    notes = "".join(f"<br>{escape(note)}" for note in document["notes"])
    title = f"{document['dataset']}, split {document['split_hash'][:8]}: {metric} on the test set"
    return _table(title, head, rows, LEGEND, notes, text={"run"})


def dataset(manifest: Mapping[str, Any]) -> str:
    """A dataset: its parts, and where every row of the log went.

    Args:
        manifest: ``manifest.json``.
    """
    sizes, counts = manifest["sizes"], manifest["counts"]
    rows = [
        [
            part,
            *(f"{sizes[part][key]:,}" for key in ("rows", "users", "items")),
            *(escape(str(sizes[part].get(end, ""))) for end in ("from", "to")),
        ]
        for part in ("train", "valid", "test")
    ]
    lost = {
        **{f"unusable: {reason}": count for reason, count in counts["rejected"].items()},
        **{f"left out: {rule}": count for rule, count in counts["dropped"].items()},
        "repeats, merged": counts["merged"],
        "test rows that are in train": counts["in_train"],
        "below --min-user or --min-item": counts["outside_core"],
    }
    left = "".join(f"; {count:,} {why}" for why, count in lost.items() if count)
    kept = sum(counts[part] for part in ("train", "valid", "test"))
    users, items = (sizes["test"][key] for key in ("cold_users", "cold_items"))
    cold = f"{users:,} users and {items:,} items of test are unknown to train."
    return _table(
        f"{manifest['name']}, split {manifest['split']['name']}",
        ["part", "rows", "users", "items", "from", "to"],
        rows,
        f"{counts['read']:,} rows read{left}; {kept:,} kept. {cold}",
        text={"from", "to"},
    )


def _model(manifest: Mapping[str, Any]) -> str:
    loss = manifest["model"].get("options", {}).get("loss")
    name = loss.get("name") if isinstance(loss, Mapping) else loss
    return ", ".join(str(each) for each in (manifest["model"]["name"], name) if each)


def _baseline(name: str, baseline: Mapping[str, Any], shown: list[str]) -> list[list[str]]:
    if "metrics" not in baseline:
        return [[escape(name), *("–" for _ in shown)]]
    difference = baseline.get("difference", {})
    return [
        [escape(name), *(_value(baseline, metric) for metric in shown)],
        [
            f'<span style="{_SOFT}">minus {escape(name)}, per user</span>',
            *(_difference(difference.get(metric)) for metric in shown),
        ],
    ]


def _value(measured: Mapping[str, Any], metric: str) -> str:
    low, high = measured["intervals"].get(metric, (None, None))
    return _with_half(measured["metrics"].get(metric), low, high)


def _with_half(value: float | None, low: float | None, high: float | None) -> str:
    half = "" if low is None or high is None else f' <small style="{_SOFT}">±{(high - low) / 2:.4f}</small>'
    return _number(value, ".4f") + half


def _difference(difference: Mapping[str, float] | None) -> str:
    if difference is None:
        return "–"
    star = "*" if difference["low"] > 0 or difference["high"] < 0 else ""
    half = (difference["high"] - difference["low"]) / 2
    return f'{difference["mean"]:+.4f}{star} <small style="{_SOFT}">±{half:.4f}</small>'


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _list(listed: Mapping[str, Any]) -> str:
    items = listed["items"]
    titled = any(item.get("title") for item in items)
    rows = [
        [
            str(item["rank"]),
            escape(item["item"]),
            *([escape(item.get("title") or "")] if titled else []),
            f"{item['score']:.4f}",
        ]
        for item in items
    ]
    title = "for a history" if listed["user"] is None else f"user {listed['user']}"
    head = ["rank", "item", *(["title"] if titled else []), "score"]
    return _table(title, head, rows, "" if rows else "no items are left", text={"item", "title"})


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    below: str,
    notes: str = "",
    text: frozenset[str] | set[str] = frozenset(),
) -> str:
    """``title``, ``head`` and ``below`` are text, cells and notes HTML; those in ``text`` are at the left."""
    sides = [
        _LEFT if name in text or (at == 0 and name not in ("#", "rank")) else _RIGHT
        for at, name in enumerate(head)
    ]
    heads = "".join(f'<th style="{side}">{escape(name)}</th>' for side, name in zip(sides, head, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{side}">{cell}</td>' for side, cell in zip(sides, row, strict=True))
        + "</tr>"
        for row in rows
    )
    foot = (
        f'<div style="{_SOFT}font-size:.9em;max-width:60em">{escape(below)}{notes}</div>'
        if below or notes
        else ""
    )
    return (
        f'<div style="margin:.5em 0"><div style="font-weight:600;margin:.2em 0">{escape(title)}</div>'
        '<table style="border-collapse:collapse;color:inherit;font-size:inherit">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{foot}</div>"
    )

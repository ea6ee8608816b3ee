"""The comparison as one self-contained page: a table, and every interval drawn on one axis."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from recsys.cli.reports.format import half, options
from recsys.tracking.comparison import Comparison, Row

WIDTH: Final = 150
HEIGHT: Final = 26
MARGIN: Final = 8

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --line: #e4e7ec; --paper: #ffffff;
  --mark: #2457d6; --base: #98a2b3; --good: #067647; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #2c3340;
  --paper: #12161f; --mark: #7aa2ff; --base: #667085; --good: #47cd89; --bad: #f97066; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1400px; margin: 40px auto; padding: 0 24px; }
h1 { font-size: 22px; margin: 0 0 4px; } p { color: var(--soft); margin: 4px 0 20px; max-width: 80ch; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 9px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.run { white-space: normal; overflow-wrap: anywhere; min-width: 160px; }
td.options { white-space: normal; color: var(--soft); font-size: 13px; min-width: 180px; max-width: 260px; }
tr.first td { font-weight: 600; } tr.baseline td { color: var(--soft); }
small { color: var(--soft); font-weight: 400; } .good { color: var(--good); } .bad { color: var(--bad); }
li { color: var(--soft); }
"""


def page(found: Comparison) -> str:
    """The page; it loads nothing from anywhere and runs no script."""
    ends = [value for row in found.rows for value in (row.interval or (row.value, row.value))]
    low, high, against = min(ends), max(ends), found.best_baseline
    rows = "\n".join(_row(rank, row, low, high, against) for rank, row in enumerate(found.rows, start=1))
    notes = "".join(f"<li>{escape(note)}</li>" for note in found.notes)
    beside = f'<th class="number">to {escape(against)}</th>' if against else ""
    best = f" {escape(against).capitalize()} is the best baseline." if against else ""
    title = f"{found.dataset}: {found.metric}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>Test set of split {escape(found.split_hash[:8])}. Bars are 95 % intervals over users. Differences are the
mean over users of this row minus the other, with half of their 95 % interval; coloured where the interval
leaves out 0.{best}</p>
<div class="wide">
<table>
<thead><tr>
<th class="number">#</th><th>run</th><th class="number">{escape(found.metric)}</th>
<th>{low:.4f} to {high:.4f}</th><th class="number">to the best</th>{beside}
<th class="number">fit, s</th><th class="number">MB</th><th>what differs</th>
</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
{f"<ul>{notes}</ul>" if notes else ""}
</body>
</html>
"""


def _row(rank: int, row: Row, low: float, high: float, against: str | None) -> str:
    kinds = [*(["first"] if rank == 1 else []), *(["baseline"] if row.baseline else [])]
    model = "" if row.baseline else f"<br><small>{escape(row.model)}</small>"
    cells = [
        f'<td class="number">{rank}</td>',
        f'<td class="run">{escape(row.name)}{model}</td>',
        f'<td class="number">{row.value:.4f}</td>',
        f"<td>{_bar(row, low, high)}</td>",
        _gap(row.to_best),
        *([_gap(row.to_baseline)] if against else []),
        f'<td class="number">{"–" if row.seconds is None else f"{row.seconds:.1f}"}</td>',
        f'<td class="number">{"–" if row.size is None else f"{row.size / 1e6:.1f}"}</td>',
        f'<td class="options">{escape(options(row.options))}</td>',
    ]
    return f'<tr class="{" ".join(kinds)}">{"".join(cells)}</tr>'


def _bar(row: Row, low: float, high: float) -> str:
    """The value as a dot and its interval as a bar, on the axis that all rows share."""

    def place(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return MARGIN + share * (WIDTH - 2 * MARGIN)

    begin, end = row.interval or (row.value, row.value)
    colour = "var(--base)" if row.baseline else "var(--mark)"
    middle = HEIGHT / 2
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{begin:.4f} to {end:.4f}">'
        f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{middle}" y2="{middle}" stroke="var(--line)"/>'
        f'<line x1="{place(begin):.1f}" x2="{place(end):.1f}" y1="{middle}" y2="{middle}" '
        f'stroke="{colour}" stroke-width="5" stroke-linecap="round" opacity="0.45"/>'
        f'<circle cx="{place(row.value):.1f}" cy="{middle}" r="5" fill="{colour}"/></svg>'
    )


def _gap(difference: Mapping[str, float] | None) -> str:
    if difference is None:
        return '<td class="number">–</td>'
    side = "good" if difference["low"] > 0 else "bad" if difference["high"] < 0 else ""
    mean = f'<span class="{side}">{difference["mean"]:+.4f}</span>'
    return f'<td class="number">{mean} <small>± {half(difference["low"], difference["high"])}</small></td>'

"""A ROC curve as a picture: plain SVG, which any browser shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from recsys.evaluation.roc import Roc

SIZE: Final = 400
MARGIN: Final = 64
POINTS: Final = 400


def svg(roc: Roc, title: str, rates: Sequence[float] = ()) -> str:
    """The curve, the diagonal of a guess, and the area; points mark the thresholds at false-positive rates.

    Example:
        >>> text = svg(Roc.of(np.array([2.0, 1.0]), np.array([1.5, 0.0])), "run <1>")
        >>> "run &lt;1&gt;" in text, "AUC 0.750" in text
        (True, True)
    """
    steps = np.unique(np.linspace(0, len(roc.thresholds) - 1, POINTS).round().astype(int))
    path = " ".join(
        f"{_x(roc.false_positives[step]):.1f},{_y(roc.true_positives[step]):.1f}" for step in steps
    )
    ticks = "".join(
        f'<path d="M{_x(share):.0f} {MARGIN}v{SIZE}M{MARGIN} {_y(share):.0f}h{SIZE}" stroke="#eee"/>'
        f'<text x="{_x(share):.0f}" y="{_y(0) + 18:.0f}" text-anchor="middle">{share:g}</text>'
        f'<text x="{_x(0) - 8:.0f}" y="{_y(share) + 4:.0f}" text-anchor="end">{share:g}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    places = {int(np.flatnonzero(roc.thresholds == roc.at(rate)[0])[0]) for rate in rates} - {0}
    marks = "".join(
        _mark(roc.thresholds[place], roc.false_positives[place], roc.true_positives[place])
        for place in sorted(places)
    )
    whole, middle = SIZE + 2 * MARGIN, MARGIN + SIZE / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" width="{whole}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="{whole}" height="{whole}" fill="white"/>'
        f'<text x="{middle}" y="28" text-anchor="middle" font-size="15">{escape(title)}</text>'
        f'{ticks}<rect x="{MARGIN}" y="{MARGIN}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#999"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4"/>'
        f'<polyline points="{path}" fill="none" stroke="#1f6fb2" stroke-width="2"/>{marks}'
        f'<text x="{middle}" y="{whole - 12}" text-anchor="middle">false-positive rate '
        f"({roc.unobserved:,} unobserved pairs)</text>"
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">true-positive rate '
        f"({roc.observed:,} observed pairs)</text>"
        f'<text x="{_x(0.95):.0f}" y="{_y(0.06):.0f}" text-anchor="end" font-size="15">'
        f"AUC {roc.auc:.3f}</text></svg>\n"
    )


def _mark(threshold: float, false_positives: float, found: float) -> str:
    """A point of the curve, and what its threshold finds."""
    x, y = _x(false_positives), _y(found)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f6fb2"/>'
        f'<text x="{x + 10:.1f}" y="{y + 10:.1f}" font-size="11">score \u2265 {threshold:.3g}: {found:.1%} '
        f"at {false_positives:.2g}</text>"
    )


def _x(share: float) -> float:
    return MARGIN + SIZE * share


def _y(share: float) -> float:
    return MARGIN + SIZE * (1 - share)

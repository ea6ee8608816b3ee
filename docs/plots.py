"""Losses drawn from their own code: what is asked of the positive, and which negatives are pushed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Final

import torch
from torch import Tensor

from recsys import plugins
from recsys.learning.losses.parameters import starts
from recsys.learning.pairs import Pairs

WIDTH: Final = 340
HEIGHT: Final = 230
LEFT, RIGHT, TOP, BOTTOM = 38, 12, 30, 40
COLOURS: Final = ("#3f6fd8", "#d9662b", "#2f9e6e", "#a55cc4")
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3")
POSITIVE: Final = 0.5
# Where a loss leaves an option to the log, the value of a log on which it is typical.
GIVEN: Final[dict[str, dict[str, Any]]] = {
    "triplet": {"margin": 0.4},
    "bpr": {"temperature": 0.12},
    "infonce": {"temperature": 0.2},
    "bsl": {"temperature": 0.2, "power": 1.25},
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Points to draw; y in [0, 1]."""

    name: str
    x: list[float]
    y: list[float]


def losses(names: list[str]) -> str:
    """Two panels for the named losses, as SVG that takes its ink from the page."""
    left = [_of_positive(name) for name in names]
    right = [_of_negatives(name) for name in names]
    legend = "".join(
        f'<span><svg width="30" height="10" aria-hidden="true"><line x1="1" x2="29" y1="5" y2="5" '
        f'stroke="{colour}" stroke-width="2.4" stroke-dasharray="{dash}"/></svg> '
        f"{escape(_label(name))}</span>"
        for name, colour, dash in zip(names, COLOURS, DASHES, strict=False)
    )
    loss = _panel(left, "loss", "score of the positive; one negative at 0")
    push = _panel(
        right, "push on a negative", f"score of the negative; the positive at {POSITIVE:g}", POSITIVE
    )
    return f'<div class="panels">{loss}{push}</div><figcaption class="legend">{legend}</figcaption>'


def _label(name: str) -> str:
    options = GIVEN.get(name, {})
    return name + (f" ({', '.join(f'{key} {value:g}' for key, value in options.items())})" if options else "")


def _of_positive(name: str) -> Curve:
    """The loss of a row with one negative at 0, as its positive moves; scaled to its range."""
    pos = torch.linspace(-1, 1, 161, dtype=torch.float64)
    values = _values(name, pos, torch.zeros(len(pos), 1, dtype=torch.float64)).reshape(-1)
    low, high = values.min(), values.max()
    return Curve(name, pos.tolist(), ((values - low) / (high - low)).tolist())


def _of_negatives(name: str) -> Curve:
    """How hard each negative of one row is pushed down: the slope of the loss in its score, largest = 1."""
    neg = torch.linspace(-1, 1, 161, dtype=torch.float64)[None].requires_grad_()
    pos = torch.tensor([POSITIVE], dtype=torch.float64)
    _values(name, pos, neg).sum().backward()
    assert neg.grad is not None
    push = neg.grad[0].clamp(min=0)
    return Curve(name, neg.detach()[0].tolist(), (push / push.max()).tolist())


def _values(name: str, pos: Tensor, neg: Tensor) -> Tensor:
    loss = plugins.make("losses", name, GIVEN.get(name))
    used = torch.ones_like(neg, dtype=torch.bool)
    values: Tensor = loss(Pairs(pos, neg, used, learned=starts(loss, len(pos)))).values
    return values


def _panel(curves: list[Curve], title: str, below: str, mark: float | None = None) -> str:
    def across(x: float) -> float:
        return LEFT + (x + 1) / 2 * (WIDTH - LEFT - RIGHT)

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM)

    grid = "".join(
        f'<line class="grid" x1="{across(x):.1f}" x2="{across(x):.1f}" y1="{up(0):.1f}" y2="{up(1):.1f}"/>'
        f'<text x="{across(x):.1f}" y="{up(0) + 15:.1f}" text-anchor="middle">{x:g}</text>'
        for x in (-1, -0.5, 0, 0.5, 1)
    )
    grid += "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(y):.1f}" y2="{up(y):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{text}</text>'
        for y, text in ((0, "0"), (1, "max"))
    )
    marked = (
        ""
        if mark is None
        else f'<line class="mark" x1="{across(mark):.1f}" x2="{across(mark):.1f}" '
        f'y1="{up(0):.1f}" y2="{up(1.06):.1f}"/>'
    )

    def points(curve: Curve) -> str:
        return " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in zip(curve.x, curve.y, strict=True))

    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2.2" stroke-dasharray="{dash}" '
        f'points="{points(curve)}"/>'
        for curve, colour, dash in zip(curves, COLOURS, DASHES, strict=False)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{grid}{marked}{lines}'
        f'<text class="title" x="{LEFT}" y="18">{escape(title)}</text>'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(below)}</text>"
        "</svg>"
    )

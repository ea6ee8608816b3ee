"""Charts of how something grows, on logarithmic axes, as small SVG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

# Name of a line -> its points (size, value).
Lines: TypeAlias = Mapping[str, Sequence[tuple[float, float]]]


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of log value over log size: 1 is linear, 2 quadratic.

    Example:
        >>> round(exponent([(1, 3), (10, 30), (100, 300)]), 3)
        1.0
    """
    size, value = np.log(np.asarray(points, dtype=np.float64)).T
    return float(np.polyfit(size, value, 1)[0])


def draw(path: Path, panels: Mapping[tuple[str, str], Lines]) -> None:
    """Draw panels side by side; each is named by what its axes show, its lines with their exponents."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same figures give the same file: ids from a fixed salt, no date.
    with mpl.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(4.2 * len(panels), 3.2), layout="constrained")
        for place, ((across, up), lines) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(1, len(panels), place)
            for name, points in lines.items():
                size, value = zip(*points, strict=True)
                label = f"{name}: {exponent(points):.2f}" if len(points) > 1 else name
                axes.loglog(size, value, marker="o", markersize=3, linewidth=1.2, label=label)
            axes.set_xlabel(across)
            axes.set_ylabel(up)
            axes.grid(visible=True, which="major", linewidth=0.3)
            axes.legend(frameon=False, title="exponent", title_fontsize=8, fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)

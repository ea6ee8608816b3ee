"""Options and intervals as text, the same in tables and on pages."""

from __future__ import annotations

from collections.abc import Mapping


def options(differing: Mapping[str, str]) -> str:
    """Options that differ between the rows, in one line."""
    return ", ".join(f"{key}={value}" for key, value in sorted(differing.items()))


def gap(difference: Mapping[str, float] | None) -> str:
    """A difference with half of its interval; a star where the interval leaves out 0.

    Example:
        >>> gap({"mean": -0.02, "low": -0.03, "high": -0.01}), gap({"mean": 0.0, "low": -0.01, "high": 0.01})
        ('-0.0200 ± 0.0100*', '+0.0000 ± 0.0100 ')
    """
    if difference is None:
        return "- "
    star = "*" if difference["low"] > 0 or difference["high"] < 0 else " "
    return f"{difference['mean']:+.4f} ± {half(difference['low'], difference['high'])}{star}"


def half(low: float, high: float) -> str:
    """Half of an interval."""
    return f"{(high - low) / 2:.4f}"

"""The report of ``recsys evaluate --roc``: how well scores separate test pairs from unobserved ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys.ragged import Ragged
from recsys.storage.files import write_text

if TYPE_CHECKING:
    from recsys.evaluation.truth import Truth
    from recsys.models.model import Scorer

RATES: Final = (0.001, 0.01, 0.05, 0.1)
MAX_USERS: Final = 10_000


def pair_quality(model: Scorer, truth: Truth, seen: Ragged, title: str, svg: Path | None) -> dict[str, Any]:
    """Area under the curve, counts of pairs, and thresholds at some false-positive rates; drawn to ``svg``.

    At most 10,000 users are taken. A threshold is None if only one above all scores keeps the rate.
    """
    from recsys.evaluation.roc import roc
    from recsys.evaluation.roc_plot import svg as draw
    from recsys.seeds import generator

    curve = roc(model, truth.sample(MAX_USERS, generator(0, "roc users")), seen)
    if svg is not None:
        write_text(svg, draw(curve, title, RATES[1:]))
    points = {rate: curve.at(rate) for rate in RATES}
    return {
        "auc": curve.auc,
        "observed": curve.observed,
        "unobserved": curve.unobserved,
        "thresholds": {
            f"{rate:g}": {"score": score if math.isfinite(score) else None, "true_positives": share}
            for rate, (score, share) in points.items()
        },
    }


def pair_quality_text(found: Mapping[str, Any]) -> str:
    """The same as lines of text."""
    lines = [
        f"pairs: AUC {found['auc']:.4f} of {found['observed']:,} test pairs against {found['unobserved']:,} "
        "unobserved ones of the same users",
        "  false-positive rate   score at least   test pairs found",
    ]
    for rate, point in found["thresholds"].items():
        score = "none keeps it" if point["score"] is None else f"{point['score']:.4f}"
        lines.append(f"  {rate:>19}   {score:>14}   {point['true_positives']:>16.1%}")
    return "\n".join(lines)

"""Definitions as they stand in the papers, in plain loops over Python floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from recsys.learning.pairs import Pairs, Terms


def used(pairs: Pairs) -> Iterator[tuple[int, float, list[float]]]:
    """For each row: its number, the score of its positive, the scores of its used negatives."""
    for row in range(len(pairs.pos)):
        scores = [
            pairs.neg[row, column].item()
            for column in range(pairs.neg.shape[1])
            if bool(pairs.mask[row, column])
        ]
        yield row, pairs.pos[row].item(), scores


def over_pairs(pairs: Pairs, summand: Callable[[float, float], float]) -> float:
    """Mean of ``summand(pos, neg)`` over all used pairs; 0 where there are none."""
    values = [summand(pos, neg) for _, pos, negatives in used(pairs) for neg in negatives]
    return sum(values) / len(values) if values else 0.0


def over_rows(pairs: Pairs, summand: Callable[[float, list[float]], float]) -> float:
    """Mean of ``summand(pos, negatives)`` over the rows that have a used negative; 0 where there are none."""
    values = [summand(pos, negatives) for _, pos, negatives in used(pairs) if negatives]
    return sum(values) / len(values) if values else 0.0


def mean_of(terms: Terms) -> float:
    """Mean of the terms that are used."""
    values = terms.values[terms.mask].tolist()
    return sum(values) / len(values) if values else 0.0


def bpr(pos: float, neg: float) -> float:
    """Rendle et al. 2009: -ln sigmoid(x_ui - x_uj)."""
    return -math.log(1 / (1 + math.exp(-(pos - neg))))


def triplet(pos: float, neg: float, margin: float) -> float:
    """Schroff et al. 2015: [d(a, p) - d(a, n) + margin]+, with d = -score."""
    return max(0.0, -pos - -neg + margin)


def hadsell(pos: float, negatives: list[float], margin: float) -> float:
    """Hadsell et al. 2006, equation 4, with D = -score: D^2 / 2 if similar, else max(0, m - D)^2 / 2."""
    far = [0.5 * max(0.0, margin - -neg) ** 2 for neg in negatives]
    return 0.5 * pos**2 + sum(far) / len(far)


def learning(pairs: Pairs, **values: float) -> Pairs:
    """Pairs whose loss has learned these numbers, the same for every row."""
    return replace(pairs, learned={name: torch.full_like(pairs.pos, value) for name, value in values.items()})

"""Figures of a space of vectors, each from a bounded sample."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.learning.distances.norms import squared_norm, unit

K = 10


def thin(count: int, most: int, device: torch.device) -> Tensor:
    """At most ``most`` of the codes 0..count-1, evenly spaced.

    Example:
        >>> thin(5, 9, torch.device("cpu")).tolist(), thin(10, 4, torch.device("cpu")).tolist()
        ([0, 1, 2, 3, 4], [0, 2, 5, 7])
    """
    few = min(count, most)
    return torch.arange(few, device=device) * count // max(few, 1)


def spread(vectors: Tensor) -> float:
    """How different the directions of vectors (n, D) are, from 0 to 1: one minus the mean cosine of two.

    Example:
        >>> spread(torch.tensor([[1.0, 0.0], [-2.0, 0.0]])), spread(torch.ones(4, 2)) < 1e-6
        (1.0, True)
    """
    return 1 - float(unit(vectors.double()).mean(0).square().sum())


def effective_rank(vectors: Tensor) -> float:
    """The effective number of directions of vectors (n, D), from 1 to D; of the unit vectors, not centred.

    ``exp(-sum p log p)`` of ``p``, the eigenvalues of the unit vectors' second moment divided by their sum.

    Source: Roy and Vetterli 2007, The effective rank, definition 1, on eigenvalues of the moment matrix.

    Example:
        >>> round(effective_rank(torch.eye(3)), 3), round(effective_rank(torch.ones(5, 3)), 3)
        (3.0, 1.0)
    """
    points = unit(vectors)
    values = torch.linalg.eigvalsh((points.T @ points).double()).clamp(min=0)
    share = values / values.sum().clamp(min=1e-12)
    return float(torch.exp(-torch.special.xlogy(share, share).sum()))


def alignment(users: Tensor, positives: Tensor) -> float:
    """Mean squared distance, 0 to 4, of the unit vectors of users (n, D) and the items they chose (n, D).

    Source: Wang and Isola 2020, Understanding Contrastive Representation Learning through Alignment and
    Uniformity on the Hypersphere, section 4.1.1, with alpha 2.

    Example:
        >>> alignment(torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        1.0
    """
    return float(squared_norm(unit(users) - unit(positives)).mean())


def hubness(scores: Tensor, k: int = K) -> float:
    """Whether a few items are among the nearest of many users: the skewness of the k-occurrence.

    ``mean((N - mean N)^3) / std(N)^3`` of ``N``, how many of the users have an item among their k highest
    scores. 0 if all items are near equally many users; above 1 there are hubs. With more than k items.

    Args:
        scores: (users, items).
        k: Length of the lists.

    Source: Radovanovic et al. 2010, Hubs in Space, equation 1, for lists of items of users.

    Example:
        >>> round(hubness(torch.tensor([[3.0, 0, 0, 0], [2.0, 1, 0, 0]]), k=1), 3), hubness(torch.eye(4), k=1)
        (1.155, 0.0)
    """
    items = scores.shape[1]
    nearest = scores.topk(min(k, items), dim=1, sorted=False).indices.flatten()
    counts = torch.bincount(nearest, minlength=items).double()
    deviation = counts - counts.mean()
    spread_out = deviation.square().mean().sqrt()
    return float((deviation / spread_out).pow(3).mean()) if spread_out > 0 else 0.0


def norm_popularity(lengths: Tensor, popularity: Tensor) -> float:
    """Pearson correlation of the length of items (n,) with the logarithm of their popularity (n,), above 0.

    0 if either does not vary. Near 1 the length expresses popularity, as it may in an inner product.

    Example:
        >>> round(norm_popularity(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 10, 100])), 6)
        1.0
    """
    pair = torch.stack([lengths.double(), popularity.double().log()])  # (2, n)
    pair = pair - pair.mean(1, keepdim=True)
    scale = pair.square().mean(1).sqrt()
    return float((pair[0] * pair[1]).mean() / scale.prod()) if bool((scale > 1e-9).all()) else 0.0


def dead(before: Tensor, after: Tensor) -> float:
    """Share of rows (n, D) that are zero or not finite, or that an epoch did not change.

    Example:
        >>> before = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [1.0, 1.0]])
        >>> dead(before, torch.tensor([[1.0, 0.0], [0.0, 0.0], [float("nan"), 0.0], [1.0, 2.0]]))
        0.75
    """
    length = squared_norm(after)
    alive = length.isfinite() & (length > 0) & (after != before).any(1)
    return float((~alive).double().mean())

"""pytorch-metric-learning on our scenes: the same points, the same triplets, the mean over all of them."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning import distances, reducers

from tests.learning.scenes import Scene


def distance(name: str) -> Any:
    """Theirs by our name; theirs normalise points unless told not to."""
    return {
        "cosine": lambda: distances.CosineSimilarity(),
        "dot": lambda: distances.DotProductSimilarity(normalize_embeddings=False),
        "euclidean": lambda: distances.LpDistance(normalize_embeddings=False, p=2, power=1),
        "squared_euclidean": lambda: distances.LpDistance(normalize_embeddings=False, p=2, power=2),
    }[name]()


def on_triplets(loss: Any, scene: Scene) -> float:
    """Value of a loss of theirs on the used triplets of a scene; the loss needs ``reducer=mean()``."""
    labels = torch.arange(len(scene.points()))
    return float(loss(scene.points(), labels, indices_tuple=scene.triplets()))


def on_pairs(loss: Any, scene: Scene) -> float:
    """Value of a loss of theirs on the positive pairs and the used negative pairs of a scene."""
    rows = torch.arange(len(scene.users))
    anchor, _, negative = scene.triplets()
    points = scene.points()
    pairs = (rows, rows + len(rows), anchor, negative)
    return float(
        loss(scene.users, rows, indices_tuple=pairs, ref_emb=points, ref_labels=torch.arange(len(points)))
    )


def on_classes(loss: Any, scene: Scene, row: int) -> float:
    """Value of a loss of theirs with class vectors: the positive of the row is class 0."""
    classes = torch.cat([scene.positives[row : row + 1], scene.candidates])
    loss.W.data = classes.T.clone()
    return float(loss(scene.users[row : row + 1], torch.tensor([0])).detach())


def mean() -> Any:
    """A plain mean, where theirs by default is over the non-zero ones."""
    return reducers.MeanReducer()

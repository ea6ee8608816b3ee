"""What training works with: the device, tables at their start, regularizers, random candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import torch

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.learning.distances.distance import Distance
from recsys.learning.distances.mahalanobis import Mahalanobis
from recsys.learning.losses.loss import Loss, Regularized
from recsys.learning.losses.parameters import parameters
from recsys.learning.regularizers import L2, Center, Regularizer, Together, Uniformity, UnitBall
from recsys.learning.samplers.sampler import Draw, Population, Sampler
from recsys.learning.training.batch import Parts
from recsys.learning.training.interactions import InteractionTensors
from recsys.learning.training.nearest import nearest
from recsys.learning.training.optimizers import Adagrad, Adam
from recsys.learning.training.pair_inputs import table
from recsys.learning.training.projection import MAP, place
from recsys.learning.training.tables import Tables
from recsys.models.composition import Choice, named
from recsys.models.initialization import scaled

# Length at the start where length counts in the score.
SHORT: Final = 0.1
OPTIMIZERS: Final = {"adagrad": Adagrad, "adam": Adam}


def device(name: str) -> torch.device:
    """The device of a name: auto is cuda where there is one.

    Raises:
        InputError: If it is cuda and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda was asked for and there is none; use --device cpu or auto")
    found = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(found if name == "auto" else name)


def matching(**parts: Choice) -> dict[str, Any]:
    """Make parts, each of the family of its keyword: ``matching(loss="bpr", miner="hardest")``.

    Raises:
        InputError: If a part or an option is unknown, a value is refused, or one part needs of another what
            that does not have.
    """
    faults = plugins.mismatches({kind: named(choice)[0] for kind, choice in parts.items()})
    if found := [fault for each in faults.values() for fault in each]:
        raise InputError("; ".join(found))
    return {kind: plugins.make(plugins.NESTED[kind], *named(choice)) for kind, choice in parts.items()}


def regularizer(loss: Loss, *, l2: float, uniformity: float, center: float) -> Regularizer | None:
    """The sum of those of positive weight and of what the loss brings along; None if there is none."""
    asked: list[Regularizer] = [L2(l2)] if l2 else []
    asked += [Uniformity(uniformity)] if uniformity else []
    asked += [Center(center)] if center else []
    asked += [loss.regularizer()] if isinstance(loss, Regularized) else []
    return Together(tuple(asked)) if asked else None


def starting_length(distance: Distance) -> float:
    """Expected length of a vector at the start."""
    return SHORT if distance.index_metric == "dot" else 1.0


def tables(
    log: InteractionTensors,
    parts: Parts,
    item_tower: Choice,
    dim: int,
    rng: torch.Generator,
    *,
    optimizer: str,
    rate: float,
    ball: float | None,
) -> Tables:
    """The tables of towers, distance and loss, at a random start.

    Args:
        log: What is trained on.
        parts: Which tables there are.
        item_tower: The one that ``parts.items`` is made by.
        dim: Dimensions D.
        rng: Of the start.
        optimizer: adagrad or adam.
        rate: Length of a step, relative to that of vectors at the start.
        ball: Radius of the ball that vectors are kept in, or None.
    """
    length, users = starting_length(parts.distance), len(log.starts) - 1
    of_items: Mapping[str, int | tuple[int, int]] = plugins.make("item_towers", *named(item_tower)).tables(
        log.catalogue
    )
    shapes = {**of_items, **parts.tower.tables(users, log.catalogue)}
    kept_in = None if ball is None else UnitBall(ball)
    made = Tables.start(shapes, dim, OPTIMIZERS[optimizer](rate * length), rng, kept_in, length)
    if isinstance(parts.distance, Mahalanobis):
        made.add(MAP, torch.eye(dim, device=rng.device))
    sizes = {"one": 1, "users": users, "items": log.catalogue}
    for each in parameters(parts.loss):
        column = torch.full((sizes[each.rows], 1), each.start, device=rng.device)
        made.add(table(each), column, partial(torch.clamp, min=each.low, max=each.high))
    return made


def start_from(begun: Embeddings, tables: Tables, distance: Distance) -> None:
    """Put finished vectors in place of the random start, at the length of one."""
    for name in {"users", "items", "inputs"} & tables.tables.keys():
        vectors, there = scaled(getattr(begun, name), unit_rows=distance.bounded)
        tables.place(name, vectors * starting_length(distance), there)


def fresh_draw(
    choice: Choice, candidates: int, log: InteractionTensors, tables: Tables, parts: Parts
) -> Callable[[], Draw]:
    """What draws the candidates of an epoch, by a sampler; ``candidates`` unless its options set that."""
    name, options = named(choice)
    takes = {option.name for option in plugins.part("samplers", name).options}
    given = {"candidates": candidates} if "candidates" in takes else {}
    sampler: Sampler = plugins.make("samplers", name, given | options)

    def score(users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        vectors = parts.tower.forward(log.take(users), tables.read)  # (B, D)
        points = place(parts.distance, tables.read, vectors, parts.items(items, tables.read))
        scores: torch.Tensor = parts.distance.matrix(*points)
        return scores  # (B, P)

    index = partial(nearest, log, tables, parts)
    disliked = None if log.disliked is None else log.disliked.one_of_each
    return partial(sampler.over, Population(log.popularity.float(), score, index, disliked))


def fingerprint(options: Mapping[str, Any], train: Interactions, most: int | None, *, validated: bool) -> str:
    """What a kept state must have in common with the fit that continues from it."""
    others = plugins.given_by_others({"name": "two_tower", **options})
    digest = hashlib.sha256(repr((options, most, validated, others)).encode())
    for log in (train, *([] if train.disliked is None else [train.disliked])):
        for column in ("user", "item", "time"):
            digest.update(log.frame[column].to_numpy().tobytes())
    return digest.hexdigest()

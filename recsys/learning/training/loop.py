"""Epochs of steps with validation, early stopping, and a checkpoint after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from recsys import seeds
from recsys.learning.miners.counting import CountingMiner
from recsys.learning.miners.everything import Everything
from recsys.learning.miners.miner import Moment
from recsys.learning.reducers import Reduced
from recsys.learning.samplers.sampler import Draw, Positives
from recsys.learning.towers.tower import Histories, Users
from recsys.learning.training import checkpoint, diagnostics
from recsys.learning.training.batch import Batch, Known, Parts
from recsys.learning.training.checkpoint import State
from recsys.learning.training.diagnostics import Checkup
from recsys.learning.training.interactions import InteractionTensors, Thin
from recsys.learning.training.pair_inputs import hardness
from recsys.learning.training.projection import move, place
from recsys.learning.training.step import step
from recsys.learning.training.tables import Tables
from recsys.storage.arrays import FloatArray

SHOWN_EVERY = 8
Vectors: TypeAlias = dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length of training and size of its batches.

    Args:
        epochs: Number of epochs, at most; exactly, without validation.
        batch: Interactions per step.
        patience: Epochs without a better validation value before it stops.
        seed: All random numbers are derived from it and the number of the epoch.
        most: Interactions per epoch, at most; None: all of them.
    """

    epochs: int
    batch: int
    patience: int
    seed: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """Everything that training needs.

    Args:
        log: The interactions.
        tables: The vectors, changed in place.
        parts: The parts of the objective.
        fresh_draw: Makes the draw of candidates of an epoch, without state from the epochs before.
        schedule: Length of training and size of its batches.
    """

    log: InteractionTensors
    tables: Tables
    parts: Parts
    fresh_draw: Callable[[], Draw]
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Hooks:
    """Callbacks of the loop, and where it saves its state.

    Args:
        validate: Quality of vectors, higher is better; None trains all epochs, or until a miner leaves no
            pair in one.
        report: Called with the epoch, from 1, and its figures.
        keep: Folder of the checkpoint, and the fingerprint of the fit; None saves nothing.
    """

    validate: Callable[[Vectors], float] | None
    report: Callable[[int, Mapping[str, float]], None]
    keep: tuple[Path, str] | None


def train(work: TrainingSetup, hooks: Hooks) -> State:
    """Train from the saved state, or from the start, to the end.

    Returns:
        The best epoch and its vectors; the last ones without validation.

    Raises:
        RecsysError: If the loss is not finite, the miner left no pair, or the vectors collapsed.
    """
    state = checkpoint.load(hooks.keep[0], work.tables, hooks.keep[1]) if hooks.keep else State()
    epochs = work.schedule.epochs
    patience = work.schedule.patience if hooks.validate else epochs
    while not state.done and state.epoch < epochs and state.epoch - state.best_epoch < patience:
        state.epoch += 1
        figures = run_epoch(work, state.epoch)
        state.done = figures.get("mined") == 0
        vectors = embed(work)
        value = hooks.validate(vectors) if hooks.validate else None
        if value is None or value > state.best_value or not state.best_epoch:
            state.best_epoch, state.best = state.epoch, vectors
            state.best_value = 0.0 if value is None else value
        if hooks.keep:
            checkpoint.save(hooks.keep[0], state, work.tables, hooks.keep[1])
        hooks.report(state.epoch, figures if value is None else {**figures, "valid": value})
    return state


def run_epoch(work: TrainingSetup, epoch: int) -> dict[str, float]:
    """Train on every interaction once, or on as many as the schedule says, in random order.

    Returns:
        ``loss``; ``pairs_per_second`` scored; ``mined``, the share of pairs that a miner left; and what
        ``Checkup.end`` returns.

    Raises:
        RecsysError: If the loss is not finite, the miner left no pair, or the vectors collapsed.
    """
    checkup, watched = Checkup.begin(work.log, work.tables, work.parts), CountingMiner(work.parts.miner)
    parts = work.parts if isinstance(work.parts.miner, Everything) else replace(work.parts, miner=watched)
    began, losses, pairs, sample = time.perf_counter(), [], 0, None
    for batch in batches(work, epoch):
        sample = sample or batch  # the order is random, so the first is as good as any
        reduced = step(batch, work.tables, parts)
        losses += [] if reduced is None else [reduced]
        pairs += batch.known.shape[0] * batch.known.shape[1]
    loss = float(_mean(losses))
    seconds = time.perf_counter() - began
    diagnostics.check_loss(loss, epoch)
    mined = diagnostics.check_mined(watched.share, watched.miner, epoch)
    assert sample is not None, "a log has a row"
    space = checkup.end(sample, work.tables, work.parts, epoch)
    return {"loss": loss, "pairs_per_second": pairs / seconds, **mined, **space}


def batches(work: TrainingSetup, epoch: int) -> Iterator[Batch]:
    """The interactions in random order, in batches, each with its candidates."""
    log, schedule = work.log, work.schedule
    device = log.users.device
    shuffle = seeds.torch_generator(schedule.seed, "shuffle", epoch, device=device)
    rng = seeds.torch_generator(schedule.seed, "sampler", epoch, device=device)
    draw = work.fresh_draw()
    order = torch.randperm(len(log), generator=shuffle, device=device)[: schedule.most]
    portions = torch.split(order, schedule.batch)
    hard = hardness(log.popularity) if "hardness" in work.parts.loss.needs else None
    users = [log.users.index_select(0, rows) for rows in portions]
    thin = None
    if (most := work.parts.tower.enough) is not None:
        thin = Thin(most, torch.rand(len(log.starts) - 1, generator=shuffle, device=device))
    totals = _totals([log.lengths(codes) for codes in users])
    kept = _totals([thin.lengths(log, codes) for codes in users]) if thin else totals
    for number, (rows, codes, total) in enumerate(zip(portions, users, totals, strict=True)):
        items = log.items.index_select(0, rows)
        candidates = draw(Positives(codes, items), rng)
        done = (epoch - 1 + number / len(portions)) / schedule.epochs
        known = Known.of(log, codes, candidates.codes, total, candidates.explicit)
        shown = number % SHOWN_EVERY == 0
        taken = log.take(codes, kept[number], thin.moved(number) if thin else None)
        yield Batch(taken, items, candidates, known, Moment(done, rng), shown, hard)


def _totals(lengths: list[Tensor]) -> list[int]:
    """Sums, read from the device in one transfer."""
    totals: list[int] = torch.stack([each.sum() for each in lengths]).tolist()
    return totals


@torch.no_grad()
def embed(work: TrainingSetup, block: int = 4096) -> Vectors:
    """Finished vectors on the host, as ``place`` leaves them: ``users`` (U, D), ``items`` (I, D).

    And ``inputs`` (I, D), if sums of them are vectors of users.
    """
    log, tables, tower = work.log, work.tables, work.parts.tower
    everyone = torch.arange(len(log.starts) - 1, device=log.users.device)
    users = torch.cat([tower.forward(log.take(some), tables.read) for some in torch.split(everyone, block)])
    codes, distance = torch.arange(log.catalogue, device=everyone.device), work.parts.distance
    items = torch.cat([work.parts.items(some, tables.read) for some in torch.split(codes, block)])
    named = dict(zip(("users", "items"), place(distance, tables.read, users, items), strict=True))
    if tower.fold_in()[1]:
        alone = [_with_one_item(some) for some in torch.split(codes, block)]
        inputs = torch.cat([tower.forward(some, tables.read) for some in alone])
        (named["inputs"],) = move(distance, tables.read, inputs)
    return {name: _host(vectors) for name, vectors in named.items()}


def _with_one_item(items: Tensor) -> Users:
    """Users (n,) whose only item is one of these (n,)."""
    order = torch.arange(len(items), device=items.device)
    ones, zeros = torch.ones_like(items), torch.zeros_like(items)
    return Users(items, lambda: Histories(items, items, order, ones, zeros))


def _host(vectors: Tensor) -> FloatArray:
    array: FloatArray = vectors.detach().to("cpu", torch.float32, copy=True).numpy()
    return array


def _mean(losses: list[Reduced]) -> Tensor:
    return torch.stack([loss.value() for loss in losses]).mean()

"""From a merged log to train, valid and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from recsys.data.coded_log import CodedLog, nothing
from recsys.data.dataset import PARTS
from recsys.data.etl.fingerprint import Identity
from recsys.data.etl.k_core import outside_core
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parallel import in_parallel
from recsys.data.etl.progress import Progress
from recsys.data.etl.spill import Store
from recsys.data.splits.base import Splitter
from recsys.seeds import derive

TRAIN, VALID, TEST = PARTS
_TINY: Final = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True)
class Partition:
    """Train, valid and test. ``outside_core`` is the number of train rows that the thresholds left out."""

    stores: Mapping[str, Store]
    identities: Mapping[str, Identity]
    outside_core: int


def parted(
    log: CodedLog, splitter: Splitter, options: EtlOptions, folder: Path, progress: Progress
) -> Partition:
    """Mark the test rows, drop what is outside the core from train, and split the rest for validation."""
    test_rule = splitter.rule(log, derive(options.seed, TEST))
    train = log.without(test_rule)
    core_rule = outside_core(train, options.min_user, options.min_item)
    core = train.without(core_rule)
    valid_rule = (
        splitter.again(options.valid, core).rule(core, derive(options.seed, VALID))
        if options.valid
        else nothing
    )
    stores = {part: Store(folder / part) for part in PARTS}
    identities = {part: Identity() for part in PARTS}
    outside = 0
    _ = log.user_keys, log.item_keys  # made once, not by each of two threads

    def split(frame: pl.DataFrame) -> tuple[list[tuple[pl.DataFrame, Identity]], int]:
        held = test_rule(frame)
        rest = frame.filter(~held)
        inside = rest.filter(~core_rule(rest))
        valid = valid_rule(inside)
        pieces = (inside.filter(~valid), inside.filter(valid), frame.filter(held))
        return [(piece, Identity.of(log, piece)) for piece in pieces], rest.height - inside.height

    with progress("splitting") as advance:
        for pieces, left in in_parallel(split, log.frames()):
            outside += left
            for part, (piece, identity) in zip(PARTS, pieces, strict=True):
                identities[part] = identities[part].merged(identity)
                stores[part].add(piece)
            advance(left + sum(piece.height for piece, _ in pieces))
    return Partition(stores, identities, outside)

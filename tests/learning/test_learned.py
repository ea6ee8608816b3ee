"""What a loss learns of its own: stepped with the vectors, kept in its range, kept in the state."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from recsys.learning.training.loop import TrainingSetup, batches, run_epoch
from recsys.learning.training.step import step
from recsys.models.two_tower import TwoTower
from tests import factories

TRAIN = factories.interactions()
MODEL = TwoTower(
    tower="lookup", start="normal", hops=0, dim=4, batch=64, candidates=16, precision="fp32", device="cpu"
)


def trained(model: TwoTower, epochs: int = 1) -> TrainingSetup:
    work = model.prepare(TRAIN)
    for epoch in range(1, epochs + 1):
        run_epoch(work, epoch)
    return work


def by_hand(model: TwoTower) -> torch.Tensor:
    """The boundary after the first step: one Adagrad step along the mean slope of the pairs, in loops."""
    work = model.prepare(TRAIN)
    batch = next(batches(work, 1))
    users = torch.nn.functional.normalize(work.tables["users"][batch.users.codes], dim=1)
    items = torch.nn.functional.normalize(work.tables["items"], dim=1)
    mask = ~batch.known.mask(slice(0, len(users)))
    slope, count, b, margin = 0.0, 0, 0.3, 0.3
    for row in range(len(users)):
        pos = float(users[row] @ items[batch.items[row]])
        for column, code in enumerate(batch.candidates.codes.tolist()):
            if mask[row, column]:
                neg = float(users[row] @ items[code])
                slope += float(margin + b - pos > 0) - float(margin + neg - b > 0)
                count += 1
    slope /= count
    return torch.tensor([[b - model.rate * slope / abs(slope)]])  # Adagrad's first step has the length rate


def test_the_boundary_goes_where_the_definition_says() -> None:
    model = replace(MODEL, loss="margin", balance=False, rate=0.05)
    work = model.prepare(TRAIN)
    step(next(batches(work, 1)), work.tables, work.parts)
    torch.testing.assert_close(work.tables["loss.boundary"], by_hand(model))


@pytest.mark.parametrize("boundaries", ["users", "items"])
def test_only_rows_of_the_batch_move(boundaries: str) -> None:
    model = replace(MODEL, loss={"name": "margin", "boundaries": boundaries})
    work = model.prepare(TRAIN)
    batch = next(batches(work, 1))
    step(batch, work.tables, work.parts)
    moved = (work.tables["loss.boundary"][:, 0] != 0.3).nonzero().flatten().tolist()
    chosen = batch.users.codes if boundaries == "users" else batch.items
    assert moved
    assert set(moved) <= set(chosen.tolist())


def test_margins_stay_in_their_range_and_differ() -> None:
    work = trained(replace(MODEL, loss={"name": "sml", "adapt": 0.5, "limit": 0.6}, rate=1.0), epochs=5)
    for name in ("loss.user_margin", "loss.item_margin"):
        margins = work.tables[name]
        assert float(margins.min()) >= 1e-3 - 1e-9
        assert float(margins.max()) <= 0.6 + 1e-6
    assert float(work.tables["loss.user_margin"].std()) > 0


def test_margins_grow_until_the_share_of_violations_is_the_weight() -> None:
    """With vectors that stand still, a margin ends where the share ``adapt`` of its triplets violates it."""
    model = replace(MODEL, loss={"name": "sml", "adapt": 0.75, "item": 0.0, "limit": 2.0}, balance=False)
    work = model.prepare(TRAIN)
    vectors = {name: work.tables[name].clone() for name in ("users", "items")}
    for epoch in range(1, 121):
        for batch in batches(work, epoch):
            step(batch, work.tables, work.parts)
            for name, kept in vectors.items():
                work.tables[name].copy_(kept)
    users, items = (torch.nn.functional.normalize(vectors[name], dim=1) for name in ("users", "items"))
    margins, log = work.tables["loss.user_margin"][:, 0], work.log
    gaps = margins[log.users][:, None] + users[log.users] @ items.T
    gaps = gaps - (users[log.users] * items[log.items]).sum(1, keepdim=True)
    known = torch.zeros(len(users), len(items), dtype=torch.bool)
    known[log.users, log.items] = True
    share = ((gaps > 0) & ~known[log.users]).sum() / (~known[log.users]).sum()
    assert float(share) == pytest.approx(0.75, abs=0.05)

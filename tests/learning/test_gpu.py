"""A GPU computes what the CPU computes; and no step waits for the device."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import islice
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from recsys.data.synthetic import planted
from recsys.data.tables import Interactions
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.learning.miners.miner import Moment
from recsys.learning.training.batch import Batch
from recsys.learning.training.loop import TrainingSetup, batches
from recsys.learning.training.step import step
from recsys.models.two_tower import TwoTower

LOSSES = ["bpr", "contrastive", "triplet", "infonce"]
# What a device has to answer before the host can go on: a value, or how many there are.
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "unique_dim", "_unique2"}


class NoWaiting(TorchDispatchMode):
    """Raises where an operation needs an answer from the device."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        kwargs = kwargs or {}
        counted = name == "repeat_interleave" and kwargs.get("output_size") is None
        if name in WAITS or counted:
            raise AssertionError(f"{name} waits for the device")
        return func(*args, **kwargs)


@pytest.fixture(scope="module")
def train() -> Interactions:
    return Interactions.of(planted(users=120, items=90, rows=4_000)[0].unique(["user", "item"]))


@pytest.fixture
def cuda() -> str:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return "cuda"


def model(loss: str, device: str, **options: Any) -> TwoTower:
    given = {"dim": 16, "batch": 256, "candidates": 64, "precision": "fp32", "epochs": 8} | options
    return TwoTower(loss=loss, tower="lookup", start="normal", hops=0, device=device, **given)


def first(work: TrainingSetup) -> Iterator[Batch]:
    return islice(batches(work, 1), 3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sampler", ["uniform", "popular", "in_batch"])
def test_no_step_waits_for_the_device(train: Interactions, loss: str, sampler: str) -> None:
    work = model(loss, "cpu", sampler=sampler, batch=300).prepare(train)
    ready = batches(work, 1)
    step(next(ready), work.tables, work.parts)  # an epoch may wait once, as it begins
    with NoWaiting():
        for batch in islice(ready, 2):
            step(batch, work.tables, work.parts)


def test_waiting_is_noticed() -> None:
    with NoWaiting(), pytest.raises(AssertionError, match="waits"):
        torch.arange(3).max().item()
    with NoWaiting(), pytest.raises(AssertionError, match="waits"):
        torch.repeat_interleave(torch.tensor([1, 2]))


@pytest.mark.gpu
@pytest.mark.parametrize("loss", LOSSES)
def test_a_gpu_takes_the_same_step(train: Interactions, cuda: str, loss: str) -> None:
    """The same batch from the same start: random numbers differ between devices, arithmetic does not."""
    here, there = (model(loss, device).prepare(train) for device in ("cpu", cuda))
    for name, table in there.tables.tables.items():
        table.weights.copy_(here.tables[name])
    for batch in first(here):
        ours = step(batch, here.tables, here.parts)
        theirs = step(moved(batch, cuda), there.tables, there.parts)
        if ours is not None and theirs is not None:  # not every step looks at its loss
            torch.testing.assert_close(theirs.value().cpu(), ours.value(), rtol=1e-4, atol=1e-5)
    for name, table in there.tables.tables.items():
        torch.testing.assert_close(table.weights.cpu(), here.tables[name], rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_fits_as_well(train: Interactions, cuda: str, precision: str) -> None:
    """Random numbers differ, so what is learned is compared by what it recommends."""
    here, there = (quality(model("infonce", device, precision=precision), train) for device in ("cpu", cuda))
    assert here > 0.15, "the log can be learned"
    assert there == pytest.approx(here, rel=0.1)


def quality(model: TwoTower, train: Interactions) -> float:
    """ndcg@20 on other pairs of the same world."""
    drawn = planted(users=120, items=90, rows=5_000)[0].tail(1_000).unique(["user", "item"])
    known = train.frame.select(
        train.users.decode(train.frame["user"]).alias("user"),
        train.items.decode(train.frame["item"]).alias("item"),
    )
    held = drawn.join(known, on=["user", "item"], how="anti")
    truth = Truth.of(held, train.users, train.items)
    fitted = model.fit(train).scorer
    return evaluate(fitted, truth, train.histories(), metrics=["ndcg@20"]).values["ndcg@20"]


@pytest.mark.gpu
def test_a_step_on_a_gpu_does_not_wait(train: Interactions, cuda: str) -> None:
    work = model("triplet", cuda).prepare(train)
    ready = batches(work, 1)
    step(next(ready), work.tables, work.parts)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch in islice(ready, 2):
            step(batch, work.tables, work.parts)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def moved(batch: Batch, device: str) -> Batch:
    """The same batch, its tensors on a device."""

    def there(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(device)
        if is_dataclass(value) and not isinstance(value, Moment):
            return replace(value, **{each.name: there(getattr(value, each.name)) for each in fields(value)})
        return value

    return there(batch)

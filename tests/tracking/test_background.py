"""Epochs reach the store while the training goes on, and a store that fails or hangs never stops it."""

import threading
import time
from collections.abc import Sequence

from recsys.tracking.background import Background, Epoch


def test_epochs_arrive_in_order_before_the_run_ends() -> None:
    sent: list[Epoch] = []
    arrived = threading.Event()

    def send(epochs: Sequence[Epoch]) -> None:
        sent.extend(epochs)
        if len(sent) == 3:
            arrived.set()

    active = Background(send, lambda _: None, set())
    for step in (1, 2, 3):
        active.epoch(step, {"loss": 1 / step})
    assert arrived.wait(5)
    assert [step for step, _ in sent] == [1, 2, 3]
    active.end()


def test_epochs_that_the_store_has_are_not_sent_again() -> None:
    sent: list[Epoch] = []
    active = Background(sent.extend, lambda _: None, {1, 2})
    for step in (1, 2, 3, 3):
        active.epoch(step, {})
    active.end()
    assert [step for step, _ in sent] == [3]


def test_a_store_that_hangs_holds_nothing_up() -> None:
    hanging = threading.Event()
    ended: list[str] = []
    active = Background(lambda _: hanging.wait(30) and None, ended.append, set(), patience=0.1)
    started = time.perf_counter()
    for step in range(1, 20_000):
        active.epoch(step, {"loss": 0.0})
    active.end("KILLED")
    assert time.perf_counter() - started < 5
    assert ended == []
    hanging.set()


def test_a_store_that_fails_stops_only_the_sending() -> None:
    def refuse(epochs: Sequence[Epoch]) -> None:
        raise OSError("no route")

    ended: list[str] = []
    active = Background(refuse, ended.append, set())
    for step in (1, 2):
        active.epoch(step, {})
    active.end("FAILED")
    assert ended == ["FAILED"]

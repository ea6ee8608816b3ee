"""Figures of epochs sent from a thread of their own, so that a slow store never holds up the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from queue import Empty, Full, Queue
from threading import Thread
from typing import Final, Literal, TypeAlias

Epoch: TypeAlias = tuple[int, Mapping[str, float]]

WAITING: Final = 10_000


class Background:
    """An ``ActiveRun`` with a queue of epochs and a thread that sends them, several at once if need be.

    What cannot be sent is dropped: the run folder has it.

    Args:
        send: Sends epochs; an error ends the sending.
        terminate: Records how an unfinished run ended.
        recorded: Numbers of the epochs that the store already has, for a run that is continued.
        patience: Seconds that ``end`` waits for what is still queued.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Epoch]], None],
        terminate: Callable[[str], None],
        recorded: set[int],
        patience: float = 10.0,
    ) -> None:
        """Start the thread; it does not keep the process from ending."""
        self._send, self._terminate = send, terminate
        self._recorded, self._patience = set(recorded), patience
        self._queue: Queue[Epoch | None] = Queue(WAITING)
        self._thread = Thread(target=self._work, name="recsys-tracking", daemon=True)
        self._thread.start()

    def epoch(self, step: int, figures: Mapping[str, float]) -> None:
        """Queue the figures of an epoch that the store does not have; returns at once."""
        if step not in self._recorded:
            self._recorded.add(step)
            self._put((step, figures))

    def end(self, status: Literal["KILLED", "FAILED"] | None = None) -> None:
        """Wait until everything is sent, but not longer than ``patience``; see ``ActiveRun``."""
        self._put(None)
        self._thread.join(self._patience)
        if status and not self._thread.is_alive():
            self._terminate(status)

    def _put(self, epoch: Epoch | None) -> None:
        try:
            self._queue.put_nowait(epoch)
        except Full:  # the store has taken none for thousands of epochs
            return

    def _work(self) -> None:
        more = True
        while more:
            waiting = [self._queue.get()]
            try:
                while True:
                    waiting.append(self._queue.get_nowait())
            except Empty:
                pass
            more = None not in waiting
            epochs = [epoch for epoch in waiting if epoch is not None]
            try:
                if epochs:
                    self._send(epochs)
            except Exception:  # whatever a store raises: the run is worth more than its record
                return

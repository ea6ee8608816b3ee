"""Progress of long work: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(slots=True)
class Task:
    """Progress of one piece of work.

    Args:
        label: What is counted, or done.
        total: Number of units, at most; None if unknown.
        done: Number of units done.
        first: Number of units done when it began.
        began: When, by ``time.monotonic``.
        latest: When it last reported.
    """

    label: str
    total: int | None = None
    done: int = 0
    first: int = 0
    began: float = field(default_factory=time.monotonic)
    latest: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def rate(self) -> float:
        """Units done per second up to the last report; 0 before the first."""
        return (self.done - self.first) / max(self.latest - self.began, 1e-9)

    def reach(self, done: int) -> None:
        """``done`` units are done now."""
        self.done, self.latest = done, time.monotonic()

    def figures(self) -> str:
        """Units done, speed and time left; the time so far if nothing is counted.

        Example:
            >>> Task("users", 300, 100, began=time.monotonic() - 10).figures()
            '100 of 300, 10/s, 20 s left'
            >>> Task("epoch", 60, 2, began=time.monotonic() - 60).figures()
            '2 of 60, 30.0 s each, 29 min left'
            >>> Task("index", began=time.monotonic() - 12).figures()
            '12 s so far'
        """
        if not self.rate:
            of = f"{self.done:,} of {self.total:,}, " if self.total else ""
            return f"{of}{lasting(self.seconds)} so far"
        speed = f"{self.rate:,.0f}/s" if self.rate >= 2 else f"{1 / self.rate:.1f} s each"
        if not self.total:
            return f"{self.done:,}, {speed}"
        left = max(0.0, (self.total - self.done) / self.rate - (time.monotonic() - self.latest))
        return f"{self.done:,} of {self.total:,}, {speed}, {lasting(left)} left"


def lasting(seconds: float) -> str:
    """A duration in its largest unit.

    Example:
        >>> lasting(59.4), lasting(61), lasting(7300)
        ('59 s', '1 min', '2.0 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class Meter:
    """Shows one piece of work at a time on standard error, until it is closed.

    A separate thread draws, so that the time is updated during a long call that reports nothing.

    Args:
        between_lines: Seconds between two lines, without a terminal.
        unseen: A task that is over within so many seconds shows no bar.
    """

    def __init__(self, between_lines: float = 5.0, unseen: float = 1.0) -> None:
        self.between_lines, self._unseen = between_lines, unseen
        self.work: Task | None = None
        self._printed = time.monotonic()
        self._over = threading.Event()
        self._drawing: Any = None

    def __enter__(self) -> Meter:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True)
            self._drawing = Live(
                get_renderable=self._bar, console=console, transient=True, refresh_per_second=4
            )
            self._drawing.start()
        else:
            self._drawing = threading.Thread(target=self._lines, daemon=True)
            self._drawing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._drawing.stop() if hasattr(self._drawing, "stop") else self._drawing.join()

    def begin(self, label: str, total: int | None = None, done: int = 0) -> None:
        """Show another piece of work."""
        self.work = Task(label, total, done, done)

    def advance(self, count: int) -> None:
        """``count`` more are done."""
        if self.work is not None:
            self.work.reach(self.work.done + count)

    def reach(self, label: str, done: int, total: int | None, seconds: float) -> None:
        """``done`` units of ``label`` are done; the last one took ``seconds``."""
        if self.work is None or self.work.label != label:
            self.work = Task(label, total, done, done - 1, time.monotonic() - seconds)
        self.work.reach(done)

    def printed(self) -> None:
        """A line was printed, so none is due for a while."""
        self._printed = time.monotonic()

    def _lines(self) -> None:
        while not self._over.wait(self.between_lines / 10):
            if self.work is not None and time.monotonic() - self._printed >= self.between_lines:
                print(f"{self.work.label}: {self.work.figures()}", file=sys.stderr, flush=True)
                self.printed()

    def _bar(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        work, row = self.work, Table.grid(padding=(0, 1))
        if work is not None and work.seconds >= self._unseen:
            unknown = not work.total
            bar = ProgressBar(total=work.total or 1, completed=work.done, width=24, pulse=unknown)
            row.add_row(work.label, bar, work.figures())
        return row


@contextmanager
def progress(label: str, total: int | None, meter: Meter | None = None) -> Iterator[Callable[[int], None]]:
    """Yield ``advance(n)``: n more of ``total`` are done."""
    with meter or Meter() as meter:
        meter.begin(label, total)
        yield meter.advance

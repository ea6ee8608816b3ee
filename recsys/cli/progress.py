"""Progress of long work: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import RenderableType

SECONDS_BETWEEN_LINES: Final = 5.0
# Task that is over sooner shows no bar.
SECONDS_UNSEEN: Final = 1.0


@dataclass(slots=True)
class Task:
    """How far one piece of work is.

    Args:
        label: What is counted, or done.
        total: How much there is, at most; None where that is not known.
        done: How much of it is done.
        first: How much was done when it began.
        began: When, by ``time.monotonic``.
        latest: When it was last heard of.
    """

    label: str
    total: int | None = None
    done: int = 0
    first: int = 0
    began: float = field(default_factory=time.monotonic)
    latest: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    @property
    def rate(self) -> float:
        """Done in a second, until it was last heard of; 0 before anything is."""
        return (self.done - self.first) / max(self.latest - self.began, 1e-9)

    def reach(self, done: int) -> None:
        """So much is done now."""
        self.done, self.latest = done, time.monotonic()

    def figures(self) -> str:
        """How much is done, how fast, and how long the rest takes; where nothing is counted, how long so far.

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
    """A time in its largest unit.

    Example:
        >>> lasting(59.4), lasting(61), lasting(7300)
        ('59 s', '1 min', '2.0 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class Meter:
    """Shows one piece of work at a time on standard error, until it is closed.

    A thread of its own draws, so that it goes on through a long call that reports nothing.
    """

    def __init__(self) -> None:
        self.work: Task | None = None
        self._told = time.monotonic()
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
        """So much is done of what ``label`` counts; the last one of it took ``seconds``."""
        if self.work is None or self.work.label != label:
            self.work = Task(label, total, done, done - 1, time.monotonic() - seconds)
        self.work.reach(done)

    def told(self) -> None:
        """A line was printed, so none is due for a while."""
        self._told = time.monotonic()

    def _lines(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LINES / 10):
            if self.work is not None and time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
                print(f"{self.work.label}: {self.work.figures()}", file=sys.stderr, flush=True)
                self.told()

    def _bar(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        work, row = self.work, Table.grid(padding=(0, 1))
        if work is not None and work.seconds >= SECONDS_UNSEEN:
            unknown = not work.total
            bar = ProgressBar(total=work.total or 1, completed=work.done, width=24, pulse=unknown)
            row.add_row(work.label, bar, work.figures())
        return row


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield ``advance(n)``: n more of ``total`` are done."""
    with Meter() as meter:
        meter.begin(label, total)
        yield meter.advance

"""Pages of docs/ as programs: what stands on them is run, and what they show is what is printed.

A page is Markdown. Of its fenced blocks

- ``console`` blocks are run: a line that begins with ``$ `` is a command, the others are what it prints;
  a line ``...`` stands for any lines. Numbers, names of runs and rows of lists may differ, words may not.
  A command whose output has a line ``error: ...`` must exit with 2, any other with 0;
- ``python`` blocks are run one after the other in one namespace;
- blocks with ``title="NAME"`` become the file NAME;
- a block below ``<!-- not run: WHY -->`` is left alone.

Pages that say ``<!-- after: recsys demo -->`` are run in one home, one after the other, as a reader does; any
other page is run in a folder of its own. ``python -m tests.docs.pages`` runs them all and writes what
commands print now into them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from recsys.cli.main import app

DOCS: Final = Path(__file__).parents[2] / "docs"
ANY: Final = "..."
_FENCE = re.compile(r"^```(?P<kind>\w*)(?P<rest>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = re.compile(r"<!-- not run: [^>]+-->\s*\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``start`` and ``end`` delimit its body in the text of the page."""

    kind: str
    title: str | None
    body: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it stands on a page, what the page says it prints, and what it printed."""

    command: str
    shown: list[str]
    printed: list[str]
    code: int

    @property
    def expected_code(self) -> int:
        """2 where the page shows an error."""
        return 2 if any(line.startswith("error: ") for line in self.shown) else 0

    def fault(self) -> str | None:
        """How the page and the program differ, or None."""
        printed = "\n".join(self.printed)
        if self.code != self.expected_code:
            return f"$ {self.command}\nexits with {self.code}:\n{printed}"
        if self.shown and not tells(self.shown, self.printed):
            shown = "\n".join(self.shown)
            return f"$ {self.command}\nthe page shows\n{shown}\nand the program prints\n{printed}"
        return None

    def refreshed(self) -> list[str]:
        """The lines the page should have: as many as it shows, with today's figures."""
        if not self.shown:
            return []
        found = aligned(self.shown, self.printed)
        if found is None and tells(self.shown, self.printed) and ANY in self.shown:
            return self.shown  # lines are broken elsewhere, and which are to be shown is not known
        return found or [line.rstrip() for line in self.printed]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page that are run or written."""
    for found in _FENCE.finditer(text):
        if not _NOT_RUN.search(text[: found.start()]):
            title = _TITLE.search(found["rest"])
            yield Block(found["kind"], title and title[1], found["body"], *found.span("body"))


def calls(body: str) -> list[tuple[str, list[str]]]:
    """Commands of a ``console`` block, each with the lines that it is shown to print."""
    found: list[tuple[str, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif found:
            found[-1][1].append(line)
    return found


def tells(shown: list[str], printed: list[str]) -> bool:
    """Whether what is printed is what is shown, wherever lines are broken.

    Example:
        >>> tells(["...", "it takes 1 ms (p95", "2 ms)"], ["exact:", "it takes 12 ms", "(p95 3 ms)"])
        True
        >>> tells(["fitted"], ["fit 7.25 s"])
        False
    """
    parts = [" ".join(words(line) for line in group) for group in _between(shown)]
    pattern = r"\s*.*\s*".join(re.escape(" ".join(part.split())) for part in parts)
    return re.fullmatch(pattern, " ".join(" ".join(words(line) for line in printed).split())) is not None


def _between(lines: list[str]) -> Iterator[list[str]]:
    """Lines between those that stand for any."""
    group: list[str] = []
    for line in lines:
        if line.strip() == ANY:
            yield group
            group = []
        else:
            group.append(line)
    yield group


def aligned(shown: list[str], printed: list[str]) -> list[str] | None:
    """``shown`` with each line replaced by the printed one that it stands for; None where they differ.

    Example:
        >>> aligned(["fit 1.5 s", "...", "done"], ["fit 7.25 s", "a", "b", "done"])
        ['fit 7.25 s', '...', 'done']
        >>> aligned(["fitted"], ["fit 7.25 s"]) is None
        True
    """
    here = [line for line in printed if line.strip()]
    found: list[str] = []
    at, free = 0, False
    for line in shown:
        if not line.strip():
            found.append("")
        elif line.strip() == ANY:
            found.append(line)
            free = True
        else:
            match = next((i for i in range(at, len(here)) if words(here[i]) == words(line)), None)
            if match is None or (not free and any(words(passed) for passed in here[at:match])):
                return None
            found.append(here[match].rstrip())
            at, free = match + 1, False
    return found if free or not any(words(left) for left in here[at:]) else None


def words(line: str) -> str:
    """A line without what differs from run to run: numbers, names of runs, hashes, rows of lists, bars.

    Example:
        >>> words("recall@20  0.4256 ±0.01")
        'recall@# # #'
        >>> words("│    1 │ i251 │ The Gentle Letter (1972) │ 4.1 │")
        '4 cells'
    """
    if line.startswith("│"):
        return f"{line.count('│') - 1} cells"
    if re.match(r"\s*\d+  ([a-z-]+-\d{8}|[a-z_]+ \(baseline\)|[\w.]+=)", line):
        return ""  # a row of a comparison: their order, and what was chosen, are those of a day
    line = re.sub(r"[a-z][a-z-]*-\d{8}-\d{6}-[0-9a-f]{4}", "RUN", line)
    line = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b", "#", line)
    line = re.sub(r"[\u2500-\u259f]+", " ", line)
    line = re.sub(r"[+±-]*\d[\d,]*(\.\d+)?(e[+-]?\d+)?%?", "#", line)
    line = re.sub(r"# (s|min|h|d)\b", "#", line)
    line = re.sub(r"#([-:/T ]?#)+", lambda same: "# #" if " " in same[0] else "#", line).replace("*", "")
    return " ".join(line.split())


def run(page: Path, folder: Path) -> list[tuple[Block, list[Call]]]:
    """Run a page in ``folder``, which is the current one meanwhile; only ``console`` blocks have calls."""
    names: dict[str, Any] = {"__name__": "__main__"}
    done = []
    with inside(folder):
        for block in blocks(page.read_text(encoding="utf-8")):
            made: list[Call] = []
            if block.title:
                Path(block.title).parent.mkdir(parents=True, exist_ok=True)
                Path(block.title).write_text(block.body, encoding="utf-8")
            elif block.kind == "console":
                made = [_call(command, shown) for command, shown in calls(block.body)]
            elif block.kind == "python":
                exec(compile(block.body, f"{page.name}", "exec"), names)
            done.append((block, made))
    return done


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """``folder`` is current; nothing outside says where home or MLflow is, nor does a page afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("RECSYS_HOME", "MLFLOW_TRACKING_URI"):
            patch.setenv(name, "")  # recorded, so that what a page sets is undone
            patch.delenv(name)
        yield
        if "mlflow" in sys.modules:
            sys.modules["mlflow"].set_tracking_uri("")


def _call(command: str, shown: list[str]) -> Call:
    first, *rest = shlex.split(command, comments=True)
    if first != "recsys":
        done = subprocess.run([first, *rest], capture_output=True, text=True, check=False)
        return Call(command, shown, (done.stdout + done.stderr).splitlines(), done.returncode)
    result = CliRunner().invoke(app, rest)
    return Call(command, shown, result.output.splitlines(), result.exit_code)


def refresh(page: Path, folder: Path) -> None:
    """Run a page and write what its commands print now into it."""
    text = page.read_text(encoding="utf-8")
    for block, made in reversed(run(page, folder)):
        if made:
            lines = [line for call in made for line in (f"$ {call.command}", *call.refreshed())]
            text = text[: block.start] + "\n".join(lines) + "\n" + text[block.end :]
    page.write_text(text, encoding="utf-8")


def ordered() -> list[Path]:
    """All pages, the first steps first: later pages go on in the home that earlier ones leave."""
    return sorted(DOCS.glob("*.md"), key=lambda page: (page.stem != "index", page.stem))


def main() -> None:
    """Refresh every page."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = Path(scratch, "demo")
        make_demo(demo)
        for page in ordered():
            print(page.name, flush=True)
            folder = demo if needs_demo(page) else Path(scratch, page.stem)
            folder.mkdir(exist_ok=True)
            refresh(page, folder)


def needs_demo(page: Path) -> bool:
    """Whether a page goes on where ``recsys demo`` ends; it says so in a comment."""
    return "<!-- after: recsys demo -->" in page.read_text(encoding="utf-8")


def make_demo(folder: Path) -> None:
    """``recsys demo`` in the new folder ``folder``."""
    folder.mkdir()
    with inside(folder):
        made = _call("recsys demo --quiet", [])
    assert made.code == 0, "\n".join(made.printed)


if __name__ == "__main__":
    main()

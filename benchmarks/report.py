"""What a benchmark leaves: a table with its machine, and RESULTS.md made from all of them."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.summary import COLUMNS, summary
from recsys.pipeline.versions import versions
from recsys.storage.files import read_json, write_json, write_text

SHORT = (
    "One seed where a section below says so. Ours and the baselines choose on a part of train; published "
    "figures were chosen on the test set by their authors. Default: `recsys train` without options. "
    "The best of ours may be a blend or an ensemble, which is still one vector per user and per item."
)

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
PAGE = FOLDER.parent / "RESULTS.md"


@dataclass(frozen=True)
class Result:
    """One table of RESULTS.md.

    Args:
        name: The script's, and the file's.
        title: Heading.
        claim: What is measured, against what, in one or two sentences.
        columns: Heads of the table.
        rows: Cells, numbers or text.
        notes: What a reader must know: goals met or missed and why, what was not measured.
        charts: Files beside the results, drawn by the script.
    """

    name: str
    title: str
    claim: str
    columns: list[str]
    rows: list[list[Any]]
    notes: list[str] = field(default_factory=list)
    charts: list[str] = field(default_factory=list)

    def save(self) -> None:
        """Write the table and the machine that it was measured on."""
        measured = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "versions": versions(),
        }
        write_json(RESULTS / f"{self.name}.json", asdict(self) | measured)


def measured_before(name: str) -> list[list[Any]]:
    """Rows of a table as they were saved last; none where it never was."""
    path = RESULTS / f"{name}.json"
    rows: list[list[Any]] = read_json(path)["rows"] if path.exists() else []
    return rows


def machine() -> str:
    """The processor, its cores and memory, whether it multiplies bfloat16, and the GPU where there is one."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    memory = next(
        (int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    import torch

    from recsys.learning.training.precision import has_bfloat16

    short = "" if has_bfloat16(torch.device("cpu")) else ", no bfloat16"
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB{short}{gpu}"


def write_page(order: list[str]) -> None:
    """Make RESULTS.md from the files in ``results/``; what was never measured is named."""
    text = [
        "# Results",
        "",
        "Made by `make bench` from `benchmarks/results/*.json`; do not edit. Machines are shared and noisy:",
        "only ratios of figures that stand in one table count.",
        "",
    ]
    rows = summary(_table)
    text += ["## In short", "", SHORT, "", *map(_row, [COLUMNS, ["---"] * len(COLUMNS), *rows]), ""]
    for name in order:
        path = RESULTS / f"{name}.json"
        text += _section(read_json(path)) if path.exists() else _unmeasured(name)
    write_text(PAGE, "\n".join(text))


def _table(name: str) -> dict[str, dict[str, Any]]:
    """Rows of a saved table by their first cell, each by the heads of the columns; the first of equals."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {}
    result = read_json(path)
    rows: dict[str, dict[str, Any]] = {}
    for row in result["rows"]:
        cells = list(zip(result["columns"], row, strict=True))
        rows.setdefault(str(row[0]), dict(reversed(cells)))
    return rows


def _command(name: str) -> str:
    script, dash, split = name.partition("-")
    return f"python -m benchmarks.{script}{' ' + split if dash and script == 'quality' else ''}"


def _unmeasured(name: str) -> list[str]:
    why = "no machine with a GPU was available" if name == "gpu" else "not run yet"
    return [
        f"## {name}",
        "",
        f"Not measured: {why}. `{_command(name)}` does it.",
        "",
    ]


def _section(result: dict[str, Any]) -> list[str]:
    head = [f"## {result['title']}", "", result["claim"], ""]
    table = [_row(result["columns"]), _row(["---"] * len(result["columns"])), *map(_row, result["rows"])]
    notes = ["", *(f"- {note}" for note in result["notes"])] if result["notes"] else []
    charts = [line for chart in result["charts"] for line in ("", f"![{chart}](benchmarks/results/{chart})")]
    torch = result["versions"].get("torch")
    where = f"`{_command(result['name'])}`, {result['date']}, {result['machine']}, torch {torch}."
    return [*head, *table, *notes, *charts, "", where, ""]


def _row(cells: list[Any]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []

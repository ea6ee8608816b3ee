"""The report of training: a line per epoch, and at the end the table with the baselines."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from recsys.cli.progress import Meter
from recsys.cli.session import Session
from recsys.cli.table import abreast
from recsys.cli.unseen_report import render_unseen
from recsys.evaluation.names import DEFAULT
from recsys.pipeline.epochs import read_epochs
from recsys.storage.run_folder import RunFolder

# Shown of the default metrics; of metrics that were given, all are shown.
COLUMNS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20", "mrr@20", "coverage@20")
# Shown per epoch; the other figures are in epochs.jsonl and in MLflow.
FOLLOWED = ("loss", "valid", "rank")
SPACE = {
    "rank": "effective rank",
    "alignment": "alignment",
    "uniformity": "uniformity",
    "hubness": "hubness",
    "norm_popularity": "length with popularity",
    "dead": "dead items",
}


class Watch:
    """Prints the progress of a pipeline; without a terminal, epochs at most every few seconds.

    On a terminal a bar below the lines shows the progress, elsewhere a line every few seconds.
    """

    def __init__(self, session: Session, meter: Meter | None = None) -> None:
        self._session = session
        self._printed = 0.0
        self._previous = time.monotonic()
        self._meter = meter or Meter()

    def __enter__(self) -> "Watch":
        if not self._session.quiet:
            self._meter.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if not self._session.quiet:
            self._meter.__exit__(*error)

    def stage(self, text: str) -> None:
        """A stage begins."""
        self._previous = time.monotonic()
        self._session.say(text)
        self._meter.printed()
        self._meter.begin("  " if sys.stderr.isatty() else f"  {text}")

    def epoch(self, label: str, number: int, total: int | None, figures: Mapping[str, float]) -> None:
        """An epoch ended."""
        now = time.monotonic()
        taken, self._previous = now - self._previous, now
        tried = [name for name in figures if name != "valid"]
        trial = number == 0
        if not trial:
            self._meter.reach(f"  {label}", number, total, taken)
        if not sys.stderr.isatty() and now - self._printed < self._meter.between_lines:
            return
        self._printed = now
        self._meter.printed()
        if trial:
            text = "  ".join(f"{name} {_short(figures[name])}" for name in tried)
            self._session.say(f"  trying {text}: valid {_short(figures['valid'])}  ({taken:.2f} s)")
            return
        left = f", at most {taken * (total - number):.0f} s left" if total else ""
        known = [name for name in FOLLOWED if figures.get(name) is not None] or list(figures)
        shown = "  ".join(f"{name} {_short(figures[name])}" for name in known)
        self._session.say(
            f"  {label} {number}{f' of {total}' if total else ''}: {shown}  ({taken:.2f} s{left})"
        )

    def work(self, label: str, total: int) -> Callable[[int], None]:
        """Counted work begins."""
        self._meter.begin(f"  {label}", total)
        return self._meter.advance

    def warn(self, text: str) -> None:
        """A warning."""
        self._session.warn(text)


def render(console: Console, run: RunFolder) -> None:
    """Print the table of a run and its baselines, the counts, the index, and the next step."""
    manifest = run.manifest()
    names = " ".join([_model(manifest), *manifest["baselines"]])
    room = console.width - max(map(len, names.split())) - 2
    for columns in abreast(_columns(manifest), room):
        console.print(_table(manifest, columns))
    for name, baseline in manifest["baselines"].items():
        if "failed" in baseline:
            console.print(f"baseline {name} failed: {baseline['failed']}", markup=False)
    if manifest["refit"] == "all":
        console.print(
            "--refit all: these scores are of the fit to train and valid; what is served was fitted again on "
            "everything, the test set too, and cannot be scored."
        )
    counts = manifest["counts"]
    console.print(
        f"{counts['users']:,} users scored on {counts['test_rows']:,} test interactions, of which "
        f"{counts['unknown_rows']:,} with {counts['unknown_items']:,} items unknown to train are misses; "
        f"{counts['cold_users']:,} cold users ({counts['cold_rows']:,} interactions) are left out."
    )
    render_unseen(console, {_model(manifest): manifest, **manifest["baselines"]})
    if (space := _space(run)) is not None:
        console.print(space)
    console.print(_index(manifest["index"]))
    seconds = "  ".join(f"{name} {value:.1f}" for name, value in manifest["seconds"].items())
    console.print(f"seconds: {seconds}")
    console.print(
        f"run {manifest['run']} is now the current one; next: recsys recommend --user ID, recsys compare"
    )


def _columns(manifest: Mapping[str, Any]) -> list[str]:
    asked = list(manifest["metrics"])
    return [name for name in COLUMNS if name in asked] if set(asked) == set(DEFAULT) else asked


def _table(manifest: Mapping[str, Any], columns: Sequence[str]) -> Table:
    title = f"{manifest['dataset']['name']}, test set; below each value half of its 95 % interval"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    _row(table, _model(manifest), manifest, columns)
    for name, baseline in manifest["baselines"].items():
        how = " (failed)" if "failed" in baseline else " (tuned)" if baseline["tried"] else ""
        _row(table, name + how, baseline, columns)
    for name in manifest.get("cannot_fold_in", {}):
        table.add_row(f"{name}: cannot fold in")
    if (best := manifest.get("best_baseline")) is not None:
        gaps = manifest["baselines"][best]["difference"]
        table.add_section()
        table.add_row(f"minus {best}, per user", *(_gap(gaps.get(column)) for column in columns))
    return table


def _space(run: RunFolder) -> str | None:
    """Diagnostics of the embedding space after the last epoch; None if the model has none."""
    epochs = read_epochs(run.path / "epochs.jsonl")
    shown = {name: epochs[-1][name] for name in SPACE if name in epochs[-1]} if epochs else {}
    if not shown:
        return None
    figures = ", ".join(f"{SPACE[name]} {_short(value)}" for name, value in shown.items())
    return f"space after epoch {epochs[-1]['epoch']}: {figures}"


def _model(manifest: Mapping[str, Any]) -> str:
    loss = manifest["model"]["options"].get("loss")
    return f"{manifest['model']['name']}, {loss['name']}" if loss else str(manifest["model"]["name"])


def _row(table: Table, name: str, values: Mapping[str, Any], columns: Sequence[str]) -> None:
    metrics, intervals = values["metrics"], values["intervals"]
    table.add_row(name, *(_cell(metrics.get(column), intervals.get(column)) for column in columns))


def _cell(value: float | None, interval: list[float | None] | None) -> str:
    if value is None:
        return "-"
    low, high = interval or (None, None)
    return f"{value:.4f}" + ("" if low is None or high is None else f"\n±{(high - low) / 2:.4f}")


def _gap(gap: Mapping[str, float | None] | None) -> str:
    if not gap or gap["mean"] is None or gap["low"] is None or gap["high"] is None:
        return "-"
    return f"{gap['mean']:+.4f}\n±{(gap['high'] - gap['low']) / 2:.4f}"


def _index(index: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in index["options"].items())
    recall = next((f"{name} {value:.3f}" for name, value in index.items() if name.startswith("recall@")), "")
    return (
        f"index: {index['kind']}{f' ({settings})' if settings else ''}, measured {recall} "
        f"(target: {index['target']:g}), a query takes {index['p50_ms']:.2f} ms "
        f"(p95 {index['p95_ms']:.2f} ms)"
    )


def _short(value: float | str | None) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return (
        f"{value / 1e6:,.0f}M"
        if abs(value) >= 1e6
        else f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:.4g}"
    )

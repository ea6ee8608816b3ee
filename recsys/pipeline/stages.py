"""Run a pipeline, skipping the stages whose inputs did not change.

Only the results record what was done: a dataset names its options and the hashes of its sources, a run its
key, an export its run. So a stage that was stopped, or whose result was removed, runs again.
"""

from __future__ import annotations

from pathlib import Path

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl, unchanged
from recsys.embeddings import Stored
from recsys.pipeline.config import ExportSection, PipelineConfig, SyntheticSection
from recsys.pipeline.progress import Watcher
from recsys.pipeline.train import run_key, train
from recsys.retrieval.export import export, served
from recsys.storage.files import read_json, replacing, write_json
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.tracker import Tracker


def run_pipeline(config: PipelineConfig, home: Home, *, tracker: Tracker, watch: Watcher) -> list[RunFolder]:
    """Run every stage of a pipeline that is not done yet; returns its runs, the last one current."""
    if config.synthetic:
        _synthesize(home.raw / config.name, config.synthetic, watch)
    dataset = _dataset(_placed(config.data, config.name, home), home, watch)
    runs = []
    for each in config.train_configs():
        done = _find(home, run_key(dataset, each))
        if done:
            watch.stage(f"run {done.name} is there already: nothing changed")
            home.set_current("run", done.name)
        runs.append(done or train(dataset, each, home, tracker=tracker, watch=watch))
    if config.export:
        _export(config.export, runs[-1], home, watch)
    return runs


def _synthesize(folder: Path, section: SyntheticSection, watch: Watcher) -> None:
    from recsys.data.synthetic import World, write_csv

    note = folder / "synthetic.json"
    if note.exists() and read_json(note) == section.model_dump():
        return
    watch.stage(f"making a log of {section.rows:,} rows with planted preferences in {folder}")
    world = World.make(section.users, section.items, genres=section.genres, seed=section.seed)
    write_csv(folder / "log.csv", world, section.rows, seed=section.seed)
    with replacing(folder / "items.csv") as temporary:
        world.items().write_csv(temporary)
    write_json(note, section.model_dump())


def _placed(options: EtlOptions, name: str, home: Home) -> EtlOptions:
    """Options with ``{raw}`` filled in, and the pipeline's name for the dataset unless it has its own."""

    def place(path: str | None) -> str | None:
        return path.replace("{raw}", str(home.raw)) if path else path

    changes = {key: place(getattr(options, key)) for key in ("test", "items", "users")}
    logs = [path.replace("{raw}", str(home.raw)) for path in options.logs]
    return options.model_copy(update={**changes, "logs": logs, "name": options.name or name})


def _dataset(options: EtlOptions, home: Home, watch: Watcher) -> Dataset:
    if options.name in home.names("dataset"):
        dataset = Dataset.open(home, options.name)
        if unchanged(dataset, options):
            watch.stage(f"dataset {dataset.name} is there already: nothing changed")
            home.set_current("dataset", dataset.name)
            return dataset
    watch.stage(f"reading {', '.join(options.logs)}")
    return etl(options, home)


def _find(home: Home, key: str) -> RunFolder | None:
    for name in reversed(home.names("run")):
        run = RunFolder(home.runs / name)
        if run.manifest().get("key") == key:
            return run
    return None


def _export(section: ExportSection, run: RunFolder, home: Home, watch: Watcher) -> None:
    out = section.out.replace("{home}", str(home.path))
    if _exported(Path(out), section.k, run):
        watch.stage(f"export {out} is there already: nothing changed")
        return
    watch.stage(f"writing {section.k} items for every user to {out}")
    export(run.path, out, k=section.k)


def _exported(out: Path, k: int, run: RunFolder) -> bool:
    """Whether a local file holds the lists of a run, as its manifest says; a URL is written each time."""
    manifest = out.with_name(f"{out.name}.manifest.json")
    if not out.is_file() or not manifest.exists():
        return False
    stored, model = read_json(manifest), Stored.open(run.model)
    wanted = {
        "run": run.name,
        "served": served(run),
        "for": "serving",
        "k": min(k, len(model.item_ids)),
        "users": len(model.user_ids),
    }
    whole = [each["bytes"] for each in stored.get("files", [])] == [out.stat().st_size]
    return whole and wanted == {key: stored.get(key) for key in wanted}

"""The figures of a run by group of users: does it serve those with few items as well as those with many?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import USER
from recsys.embeddings import Embeddings
from recsys.errors import InputError, RecsysError
from recsys.evaluation.bootstrap import mean_intervals
from recsys.retrieval.serving_files import read_seen
from recsys.storage.arrays import IntArray
from recsys.storage.run_folder import RunFolder

GROUPS = ("activity",)
SCHEMA = {
    "group": pl.String, "model": pl.String, "metric": pl.String,
    "users": pl.Int64, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip


def by_group(run: RunFolder, by: str = "activity") -> pl.DataFrame:
    """Means of a run and of its baselines over groups of the users that were scored.

    ``activity``: quarters of these users by how many items each chose in training.

    Returns:
        group, model, metric, users, value, and low and high of the 95 % bootstrap interval; the least active
        first. Metrics without a value per user, such as coverage, are not among them.

    Raises:
        InputError: If ``by`` is not one of these, or the run was fitted to its test set too: then the users'
            items of training are no longer known.
        RecsysError: If a file of the run is missing or was changed.
    """
    if by not in GROUPS:
        raise InputError(f"by is {by!r}; it is one of: {', '.join(GROUPS)}")
    run.verify()
    manifest = run.manifest()
    if manifest.get("refit") == "all":
        raise InputError(
            f"run {run.name} was fitted to its test set too (--refit all), so its users cannot be grouped "
            "by what they chose before; train with --refit valid"
        )
    model = Embeddings.load(run.model)
    seen = np.diff(read_seen(run.seen, len(model.users)).learned_rows().indptr)
    files = {manifest["model"]["name"]: "per_user", **{name: name for name in manifest["baselines"]}}
    rows = []
    for name, file in files.items():
        table = _values(run, file)
        codes = model.user_ids.encode(table[USER])
        chosen = pl.Series(seen).gather(codes).fill_null(0).to_numpy()
        rows += list(_rows(name, table, chosen, int(manifest["seed"])))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").fill_nan(None)


def activity(chosen: IntArray) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """Quarters of users by how many items they chose: a label, and the positions of the users.

    Users who chose equally many stay together, so there may be fewer than four.

    Example:
        >>> [(label, users.tolist()) for label, users in activity(np.array([9, 1, 1, 3, 4]))]
        [('1', [1, 2]), ('3', [3]), ('4', [4]), ('9', [0])]
        >>> [label for label, _ in activity(np.arange(1, 101))]
        ['1 to 25', '26 to 50', '51 to 75', '76 to 100']
    """
    edges = np.unique(np.quantile(chosen, (0.25, 0.5, 0.75), method="inverted_cdf"))
    group = np.searchsorted(edges, chosen)
    for each in np.unique(group):
        users = np.flatnonzero(group == each)
        least, most = chosen[users].min(), chosen[users].max()
        yield (f"{least}" if least == most else f"{least} to {most}"), users


def _values(run: RunFolder, file: str) -> pl.DataFrame:
    path = run.evaluation / f"{file}.parquet"
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RecsysError(f"{path} cannot be read ({str(error).splitlines()[0]}); train again") from error


def _rows(
    model: str, table: pl.DataFrame, chosen: IntArray, seed: int
) -> Iterator[tuple[str, str, str, int, float, float, float]]:
    names = [name for name in table.columns if name != USER]
    values = table.select(names).to_numpy()
    for label, users in activity(chosen):
        bounds = mean_intervals(values[users], seed)
        for at, name in enumerate(names):
            defined = values[users, at][np.isfinite(values[users, at])]
            mean = float(defined.mean()) if len(defined) else float("nan")
            yield label, model, name, len(defined), mean, float(bounds[at, 0]), float(bounds[at, 1])

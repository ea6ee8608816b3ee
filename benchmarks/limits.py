"""Where two cores stop being enough: what ``growth`` measured, carried on to 1e8 users and 1e7 items."""

from __future__ import annotations

from typing import Any

from benchmarks.growth import BASE, DIM, SAMPLE, TITLES
from benchmarks.report import RESULTS, Result, measured_before
from recsys.errors import InputError

USERS, ITEMS, ROWS = 10**8, 10**7, 10**10
CSV_ROW, CODED_ROW = 26, 24
COLUMNS = ["work", "GB", "hours on two cores", "what to shard"]


def table(growth: list[list[Any]], etl_rate: float | None) -> list[list[Any]]:
    """Rows of the table from the rows of ``growth``, and from the rows a second of the ETL where measured.

    Memory is carried on by what the last sizes took more than the first, which is linear; time by the
    seconds a unit of work at the largest size, and for the index by its exponent.
    """
    points = {(row[0], row[1]): row for row in growth}
    fit, rank, build = (
        {axis: points[title, axis] for axis in ("users", "items", "interactions") if (title, axis) in points}
        for title in (TITLES["fit"], TITLES["rank"], TITLES["build"])
    )
    epoch = fit["interactions"][5] / fit["interactions"][3] * ROWS
    pairs = rank["items"][5] / (rank["items"][3] * SAMPLE) * USERS * ITEMS
    forest = build["items"]
    planted = forest[5] * (ITEMS / forest[3]) ** forest[6]
    vectors = _bytes(fit["users"]) * USERS + _bytes(fit["items"]) * ITEMS
    log = _bytes(fit["interactions"]) * ROWS
    return [
        ["ETL", ROWS * CODED_ROW / 1e9, ROWS / etl_rate / 3600 if etl_rate else None,
         f"by hash of the user; these GB, and {CSV_ROW * ROWS / 1e9:.0f} of CSV, are on disk"],
        ["the log, in training", log / 1e9, None, "by user: a machine trains its own users' rows"],
        ["vectors, in training", vectors / 1e9, None,
         "users with the log; items fit one machine and are exchanged a batch at a time"],
        ["an epoch", (log + vectors) / 1e9, epoch / 3600, "by user, as above; or one GPU for each shard"],
        ["vectors, to serve", 4 * DIM * (USERS + ITEMS) / 1e9, None,
         "users by hash; items whole on each server, in bfloat16 or by Annoy's mapped file"],
        ["exact lists for everybody", 4 * DIM * ITEMS / 1e9, pairs / 3600,
         "by user, with nothing exchanged; a GPU a shard, or Annoy"],
        ["Annoy over the items", _bytes(forest) * ITEMS / 1e9, planted / 3600,
         "one tree a core: trees do not know each other"],
    ]  # fmt: skip


def main() -> None:
    growth = measured_before("growth")
    if not growth:
        raise InputError(f"there is no {RESULTS}/growth.json; run `python -m benchmarks.growth` first")
    rows = table(growth, etl_rate())
    for row in rows:
        print(*row, sep="  ", flush=True)
    Result(
        "limits",
        "Where two cores stop being enough",
        f"Extrapolated, not measured: {USERS:,} users x {ITEMS:,} items, {ROWS:,} interactions, d {DIM}, "
        f"from the table above. Memory is linear, its slope that between the smallest and the largest size.",
        COLUMNS,
        rows,
        [
            f"The hours of the ETL are carried on from its largest log; coded rows take {CODED_ROW} bytes.",
            f"Time a unit is that at the largest size measured, the others as {BASE['users']:,} users and "
            f"{BASE['items']:,} items; larger tables miss the cache more often, so hours are a lower bound.",
        ],
    ).save()


def etl_rate() -> float | None:
    """Rows a second of ``recsys etl`` on the largest log measured; None where it was not."""
    ours = [row for row in measured_before("etl") if row[0] == "recsys etl"]
    largest = max(ours, key=lambda row: row[1], default=None)
    return largest[1] / largest[2] if largest else None


def _bytes(row: list[Any]) -> float:
    """Bytes that one more user, item or row takes."""
    return float(max(0.0, (row[8] - row[7]) * 1e6 / (row[3] - row[2])))


if __name__ == "__main__":
    main()

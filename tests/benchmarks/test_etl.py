from pathlib import Path

import polars as pl
import pytest

from benchmarks import etl, etl_peers
from benchmarks.process import Cost


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("etl") / "log.csv"
    etl.write_log(path, 3_000)
    return path


def test_the_log_is_the_same_each_time(log: Path, tmp_path: Path) -> None:
    etl.write_log(tmp_path / "again.csv", 3_000)
    assert (tmp_path / "again.csv").read_bytes() == log.read_bytes()
    assert pl.read_csv(log).shape == (3_000, 4)


def test_peers_do_the_same_work(log: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(log, schema_overrides={"user": pl.String}).filter(
        pl.col("rating") >= etl_peers.THRESHOLD
    )
    wanted = rows.group_by("user", "item").agg(pl.col("timestamp").max()).sort("user", "timestamp", "item")
    for name, peer in (("polars", etl_peers.polars), ("pandas", etl_peers.pandas)):
        peer(str(log), str(tmp_path / name))
        found = pl.read_parquet(tmp_path / name).select(wanted.columns)
        assert found.with_columns(pl.col("user", "item").cast(pl.String)).equals(wanted), name
        peer(str(log), str(tmp_path / name), guessed=True)
        assert pl.read_parquet(tmp_path / name).height == wanted.height


@pytest.mark.slow
def test_ours_and_a_peer_are_measured_and_leave_nothing(log: Path) -> None:
    for found in (etl.ours(log, log.parent / "home"), etl.peer("polars", log)):
        assert found.seconds > 0
        assert 0 < found.private <= found.peak
    assert [path.name for path in log.parent.iterdir()] == ["log.csv"]


def test_a_table_compares_with_polars_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etl, "ours", lambda log, home: Cost(6.0, 7.0, 500_000_000, 300_000_000, ""))
    monkeypatch.setattr(etl, "peer", lambda name, log: Cost(5.0, 8.0, 1_000_000_000, 600_000_000, ""))
    rows = etl.beside(Path("log.csv"), 1_000)
    assert rows[0] == ["recsys etl", 1_000, 6.0, 7.0, 500.0, 300.0, 1.2, 0.5]
    assert len(rows) == 1 + len(etl.PEERS)
    assert all(len(row) == len(etl.COLUMNS) for row in rows)
    assert any("grows 2.00 times" in note for note in etl._notes({5: [1.0, 1.0], 20: [2.0, 1.0]}))

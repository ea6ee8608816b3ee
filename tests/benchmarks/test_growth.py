from pathlib import Path

import numpy as np
import pytest

from benchmarks import growth, limits
from benchmarks.charts import draw, exponent
from benchmarks.logs import long_tail


def test_a_log_has_its_size_and_a_long_tail() -> None:
    log = long_tail(500, 300, 9_000)
    assert (len(log), len(log.users), len(log.items)) == (9_000, 500, 300)
    assert log.frame.select("user", "item").is_unique().all()
    assert log.frame.equals(log.frame.sort("user", "item"))
    popularity = np.sort(log.frame["item"].value_counts()["count"].to_numpy())[::-1]
    assert popularity[:30].sum() > popularity[-150:].sum()
    assert long_tail(500, 300, 9_000).frame.equals(log.frame)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    assert exponent([(size, 3 * size**power) for size in (10, 100, 1000)]) == pytest.approx(power)


def test_a_chart_is_the_same_each_time(tmp_path: Path) -> None:
    panels = {("users", "seconds"): {"fit": [(10, 1.0), (100, 11.0)], "rank": [(10, 2.0)]}}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw(tmp_path / name / "chart.svg", panels)
    text = (tmp_path / "a" / "chart.svg").read_text()
    assert text == (tmp_path / "b" / "chart.svg").read_text()
    assert "fit: 1.04" in text
    assert "users" in text


def test_sizes_are_one_a_decade() -> None:
    assert growth.sizes(1_000_000) == [10_000, 100_000, 1_000_000]


@pytest.mark.slow
def test_every_part_of_the_work_is_measured() -> None:
    found = growth.one(300, 200, 3_000, 50, list(growth.WORK))
    assert list(found) == ["als", "fit", "rank", "build"]
    assert all(seconds > 0 and memory > 0 for seconds, memory in found.values())


@pytest.mark.slow
def test_a_size_is_measured_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BASE", {"users": 300, "items": 200, "interactions": 3_000})
    assert set(growth.along("users", 400)) == {"fit", "als", "rank"}


def test_limits_are_carried_on_from_what_was_measured() -> None:
    def row(work: str, axis: str, to: int, seconds: float, power: float, megabytes: float) -> list[object]:
        return [growth.TITLES[work], axis, 0, to, 0.0, seconds, power, 0.0, megabytes, 1.0]

    rows = limits.table(
        [
            row("fit", "users", 1_000_000, 1.0, 1.0, 1_000.0),
            row("fit", "items", 1_000_000, 1.0, 1.0, 1_000.0),
            row("fit", "interactions", 1_000_000, 3.6, 1.0, 40.0),
            row("rank", "items", 1_000_000, 2.0, 1.0, 1.0),
            row("rank", "users", 1_000_000, 2.0, 1.0, 1.0),
            row("build", "items", 1_000_000, 36.0, 1.0, 500.0),
        ],
        1e6,
    )
    found = {each[0]: each[1:3] for each in rows}
    assert found["an epoch"] == pytest.approx([400 + 110, 10.0])
    assert found["ETL"][1] == pytest.approx(1e10 / 1e6 / 3600)
    assert found["Annoy over the items"] == pytest.approx([5.0, 0.1])
    assert found["exact lists for everybody"][1] == pytest.approx(2.0 / 2_000 / 1e6 * 1e15 / 3600)

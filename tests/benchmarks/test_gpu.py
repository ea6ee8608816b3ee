import pytest
import torch

from benchmarks import gpu

TINY = gpu.Size(60, 40, 800, (64, 32), 2)


def test_every_row_is_measured_on_a_cpu() -> None:
    rows = gpu.measure(TINY, "cpu")
    assert len(rows) == len(TINY.batches) * len(gpu.LOSSES) + 2
    assert all(len(row) == len(gpu.COLUMNS) for row in rows)
    assert all(row[1] > 0 and row[2] > 0 for row in rows)
    assert "60 users x 40 items" in rows[-1][0]


def test_one_line_where_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["gpu"])
    assert gpu.main() == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_small_run_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "SMALL", TINY)
    monkeypatch.setattr(gpu.Result, "save", lambda _: pytest.fail("a small run is no result"))
    monkeypatch.setattr("sys.argv", ["gpu", "--device", "cpu", "--small"])
    assert gpu.main() == 0
    assert "an epoch of" in capsys.readouterr().out

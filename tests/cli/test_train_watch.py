"""What a person reads while a model is fitted."""

from __future__ import annotations

import pytest

from recsys.cli.reports.train import Watch
from recsys.cli.session import Session
from recsys.storage.home import Home


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [
        ({"loss": 1.5, "valid": 0.25, "rank": 8.0}, "epoch 3 of 60: loss 1.5  valid 0.25  rank 8"),
        ({"temperature": 0.3, "valid": 0.25}, "trying temperature 0.3: valid 0.25"),
        (
            {"similarity": "cosine", "neighbours": 20, "score": 0.25},
            "epoch 3 of 60: similarity cosine  neighbours 20  score 0.25",
        ),
        (
            {"alpha": 1.0, "score": None, "failed": "too large"},
            "epoch 3 of 60: alpha 1  score None  failed too large",
        ),
        ({"weight 0": 0.5, "weight 1": 0.5, "valid": 0.25}, "trying weight 0 0.5  weight 1 0.5: valid 0.25"),
    ],
)
def test_an_epoch_and_a_trial_read_apart(
    figures: dict[str, float], wanted: str, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Watch(Session(home))
    watch.epoch("epoch", 0 if wanted.startswith("trying") else 3, 60, figures)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.strip().startswith(wanted + "  (")

"""What a person reads while a model is fitted."""

from __future__ import annotations

import pytest

from recsys.cli.reports.train import Watch
from recsys.cli.session import Session


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
    figures: dict[str, float], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Session, "say", lambda _, text: said.append(text))
    watch = Watch(Session.__new__(Session))
    watch.epoch("epoch", 0 if wanted.startswith("trying") else 3, 60, figures)
    assert said[0].strip().startswith(wanted)

"""What a notebook shows: every text escaped, every figure that of the manifest."""

from html.parser import HTMLParser
from typing import Any

import pytest

from recsys import notebook

BAD = '<script>alert("x")</script>&'


class Cells(HTMLParser):
    """The cells of a page row by row; fails where tags do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "style")
        if tag != "br":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def of_run(name: str = "a-run") -> dict[str, Any]:
    return {
        "run": name,
        "dataset": {"name": name},
        "model": {"name": "two_tower", "options": {"loss": {"name": "triplet", "margin": 0.2}}},
        "metrics": {"ndcg@10": 0.25, "gini@20": 0.5},
        "intervals": {"ndcg@10": [0.2, 0.3], "gini@20": [None, None]},
        "counts": {"users": 1200, "test_rows": 7000, "cold_users": 3},
        "baselines": {
            name: {
                "metrics": {"ndcg@10": 0.2},
                "intervals": {"ndcg@10": [0.15, 0.25]},
                "difference": {"ndcg@10": {"mean": 0.05, "low": 0.01, "high": 0.09}},
            },
            "broken": {"error": "out of memory"},
        },
    }


def test_a_run_stands_beside_its_baselines() -> None:
    page = Cells(notebook.run(of_run()))
    assert page.rows == [
        ["model", "ndcg@10"],
        ["two_tower, triplet", "0.2500 ±0.0500"],
        ["a-run", "0.2000 ±0.0500"],
        ["minus a-run, per user", "+0.0500* ±0.0400"],
        ["broken", "–"],
    ]
    assert "1,200 users, 7,000 interactions" in page.text


def test_a_run_without_the_usual_metrics_shows_those_it_has() -> None:
    assert Cells(notebook.run(of_run(), metrics=["recall@3"])).rows[0] == ["model", "ndcg@10", "gini@20"]
    assert Cells(notebook.run(of_run(), metrics=["gini@20"])).rows[1] == ["two_tower, triplet", "0.5000"]


def test_lists_have_titles_where_there_are_any() -> None:
    items = [
        {"rank": 1, "item": "i7", "title": "The Gentle Letter", "score": 4.18951},
        {"rank": 2, "item": "i8", "score": 2.0},
    ]
    page = Cells(notebook.recommendations([{"user": "2", "items": items}, {"user": None, "items": []}]))
    assert page.rows == [
        ["rank", "item", "title", "score"],
        ["1", "i7", "The Gentle Letter", "4.1895"],
        ["2", "i8", "", "2.0000"],
        ["rank", "item", "score"],
    ]
    assert "user 2" in page.text
    assert "no items are left" in page.text


def of_comparison(name: str = "r") -> dict[str, Any]:
    gap = {"mean": -0.02, "low": -0.03, "high": 0.01}
    shared = {"interval": [0.1, 0.3], "options": {"loss": name}, "seconds": 1.25, "model": name}
    first = {"rank": 1, "run": name, "baseline": None, "value": 0.2, "to_best": None, "to_baseline": gap}
    second = {"rank": 2, "run": None, "baseline": "als", "value": 0.18, "to_best": gap, "to_baseline": None}
    plain = {"seconds": None, "interval": [None, None], "options": {}}
    return {
        "dataset": name,
        "split_hash": "4636f1a0ff",
        "metric": "ndcg@10",
        "best_baseline": "als",
        "notes": [name],
        "rows": [first | shared, second | shared | plain],
    }


def test_a_comparison_has_paired_differences() -> None:
    page = Cells(notebook.comparison(of_comparison()))
    assert page.rows == [
        ["#", "run", "ndcg@10", "to the best", "to als", "fit s"],
        ["1", "rloss=r", "0.2000 ±0.1000", "–", "-0.0200 ±0.0200", "1.2"],
        ["2", "als (baseline)", "0.1800", "-0.0200 ±0.0200", "–", "–"],
    ]
    assert "split 4636f1a0:" in page.text


def of_dataset(name: str = "demo") -> dict[str, Any]:
    part = {"rows": 1000, "users": 30, "items": 20, "from": "2024-01-01 00:00:00", "to": name}
    return {
        "name": name,
        "split": {"name": "time:0.2"},
        "sizes": {
            "train": part,
            "valid": {"rows": 0, "users": 0, "items": 0},
            "test": part | {"cold_users": 4, "cold_items": 5},
        },
        "counts": {
            "read": 2105, "rejected": {name: 5}, "dropped": {"--positive-from 4": 60}, "merged": 40,
            "in_train": 0, "outside_core": 0, "train": 1000, "valid": 0, "test": 1000,
        },
    }  # fmt: skip


def test_a_dataset_accounts_for_every_row() -> None:
    page = Cells(notebook.dataset(of_dataset()))
    assert page.rows[1] == ["train", "1,000", "30", "20", "2024-01-01 00:00:00", "demo"]
    assert page.rows[2] == ["valid", "0", "0", "0", "", ""]
    assert (
        "2,105 rows read; 5 unusable: demo; 60 left out: --positive-from 4; 40 repeats, merged; 2,000 kept."
        in page.text
    )


@pytest.mark.parametrize(
    "html",
    [
        notebook.run(of_run(BAD)),
        notebook.recommendations(
            [{"user": BAD, "items": [{"rank": 1, "item": BAD, "title": BAD, "score": 1.0}]}]
        ),
        notebook.comparison(of_comparison(BAD)),
        notebook.dataset(of_dataset(BAD)),
    ],
    ids=["run", "list", "comparison", "dataset"],
)
def test_texts_are_escaped(html: str) -> None:
    assert "<script" not in html
    assert BAD in Cells(html).text
    assert "&lt;" not in Cells(html).text

"""The table at the head of RESULTS.md is made of the others."""

from collections.abc import Mapping
from typing import Any

from benchmarks.report import PAGE
from benchmarks.summary import COLUMNS, summary

TABLES: dict[str, dict[str, dict[str, Any]]] = {
    "quality-gowalla": {
        "popularity": {"NDCG@20": 0.03},
        "als, tuned, d 64": {"NDCG@20": 0.12},
        "two_tower": {"NDCG@20": 0.15},
        "blend": {"NDCG@20": 0.152},
    },
    "defaults": {
        "shop": {"best baseline": 0.2, "": "ease, tuned", "default": 0.19, "triplet": 0.21, "blend": 0.18}
    },
    "etl": {"recsys etl": {"times polars": 1.1}, "polars streaming by hand": {"times polars": 1.0}},
}


def tables(name: str) -> Mapping[str, Mapping[str, Any]]:
    return TABLES.get(name, {})


def test_ours_stands_beside_the_best_baseline() -> None:
    splits, log, etl = summary(tables)
    assert splits[:4] == ["gowalla, NDCG@20", "0.1500", "0.1520 (blend)", "0.1200 (als, tuned, d 64)"]
    assert log[:4] == ["shop, NDCG@20", "0.1900", "0.2100 (triplet)", "0.2000 (ease, tuned)"]
    assert etl[1] == 1.1


def test_what_was_never_measured_is_left_out() -> None:
    assert summary(lambda _: {}) == []


def test_the_page_opens_with_at_most_25_lines() -> None:
    page = PAGE.read_text(encoding="utf-8")
    head = page[page.index("| measured |") : page.index("\n## Quality")].strip().splitlines()
    assert head[0] == "| " + " | ".join(COLUMNS) + " |"
    assert 10 < len(head) <= 25

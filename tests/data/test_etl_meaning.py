"""What rows mean: weights, times, rules, repeats, thresholds; and every row is accounted for."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl, unchanged
from recsys.data.etl.spill import Pieces
from recsys.storage.home import Home
from tests.data import etl_logs as logs

ROWS = logs.rows()
DAY = 86_400


def weights(made: object) -> dict[tuple[str, str], float]:
    table = logs.kept(made)  # type: ignore[arg-type]
    return {(user, item): weight for user, item, weight in table.select("user", "item", "weight").iter_rows()}


def test_values_weigh_rows(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS))
    assert weights(made) == {(user, item): rating for user, item, rating, _ in ROWS}
    assert set(weights(logs.dataset(home, logs.text(ROWS), value="none")).values()) == {1.0}


def test_positive_from_keeps_high_values_and_weighs_them_alike(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS), positive_from=4)
    assert weights(made) == {(user, item): 1.0 for user, item, rating, _ in ROWS if rating >= 4}
    low = sum(rating < 4 for _, _, rating, _ in ROWS)
    assert made.manifest["counts"]["dropped"] == {"--positive-from 4": low}


def test_event_weights(home: Home) -> None:
    text = "user,item,action\na,x,view\na,y,purchase\nb,x,like\nb,y,view\nb,z,\n"
    made = logs.dataset(home, text, event_weights={"view": 1, "purchase": 10})
    assert weights(made) == {("a", "x"): 1, ("a", "y"): 10, ("b", "y"): 1}
    assert made.manifest["counts"]["dropped"] == {"event has no weight (--event-weights)": 2}
    assert made.manifest["columns"]["event"] == {"column": "action", "guessed": True}


def test_half_life_is_measured_to_the_newest_train_row(home: Home) -> None:
    times = [0, 10, 20, 30, 40]
    text = "user,item,time\n" + "".join(
        f"u{place % 2},i{place},{logs.START + DAY * day}\n" for place, day in enumerate(times)
    )
    made = logs.dataset(home, text, half_life="10d", split="time:0.2", valid=0)
    train = made.split().train.sort("time")
    assert train["weight"].to_list() == pytest.approx([0.125, 0.25, 0.5, 1.0])
    assert made.split().test["weight"].to_list() == pytest.approx([2.0])


def test_keep_rules_are_sql_and_each_dropped_row_is_the_first_rules(home: Home) -> None:
    text = "user,item,Quantity,Invoice\n" + "".join(
        f"u{place % 3},i{place},{place - 2},{'C' if place % 4 == 0 else ''}5363{place}\n"
        for place in range(12)
    )
    made = logs.dataset(home, text, keep=["Quantity > 0", "Invoice not like 'C%'"])
    kept = {f"i{place}" for place in range(12) if place - 2 > 0 and place % 4}
    assert set(logs.kept(made)["item"]) == kept
    assert made.manifest["counts"]["dropped"] == {"--keep Quantity > 0": 3, "--keep Invoice not like 'C%'": 2}


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("CustomerID is not null", 4),
        ("CustomerID <> ''", 4),
        ("CAST(CustomerID AS DOUBLE) > 2", 2),
        ("price < 9", 4),
    ],
)
def test_keep_types_columns_by_all_their_values(home: Home, rule: str, left: int) -> None:
    text = "CustomerID,item,price\n1.0,a,1\n2.0,b,2\n3.0,c,3\n4.0,a,4\n,a,n/a\n"
    made = logs.dataset(home, text, keep=[rule], max_rejects=0.5, split="random:0.5")
    assert logs.kept(made).height == left
    assert logs.accounted(made)


def test_since_and_until(home: Home) -> None:
    text = "user,item,date\na,x,2024-01-01\na,y,2024-01-02\nb,x,2024-01-03\nb,z,2024-01-04\n"
    made = logs.dataset(home, text, since="2024-01-02", until="2024-01-04", split="random:0.5", valid=0)
    assert logs.kept(made)["item"].to_list() == ["y", "x"]
    assert made.manifest["counts"]["dropped"] == {"--since 2024-01-02": 1, "--until 2024-01-04": 1}


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("1600000000", {}),
        ("1600000000.0", {}),
        ("1600000000000", {}),
        ("1600000000000000", {}),
        ("1600000000000000000", {}),
        ("2020-09-13 12:26:40", {}),
        ("2020-09-13T12:26:40Z", {}),
        ("2020-09-13T14:26:40+02:00", {}),
        ("2020-09-13 12:26:40.000", {}),
        ("9/13/2020 12:26:40", {}),
        ("13/9/2020 12:26:40", {}),
        ("13.09.2020 12h26m40", {"time_format": "%d.%m.%Y %Hh%Mm%S"}),
    ],
)
def test_every_unit_of_time_is_the_same_moment(home: Home, written: str, options: dict[str, str]) -> None:
    made = logs.dataset(
        home,
        f"user,item,time\na,x,{written}\nb,y,{written}\na,y,{written}\n",
        split="random:0.4",
        valid=0,
        **options,
    )
    assert set(logs.kept(made)["time"]) == {1_600_000_000_000_000}


def test_temporal_columns_of_parquet(home: Home, tmp_path: Path) -> None:
    table = pl.DataFrame({"user": ["a", "b", "a"], "item": [1, 2, 2], "time": ["2020-09-13 12:26:40"] * 3})
    moments = pl.col("time").str.to_datetime("%Y-%m-%d %H:%M:%S")
    for moment in (moments, moments.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")):
        table.with_columns(moment).write_parquet(tmp_path / "log.parquet")
        made = etl(EtlOptions(logs=[str(tmp_path / "log.parquet")], split="random:0.4", valid=0), home)
        assert set(logs.kept(made)["time"]) == {1_600_000_000_000_000}
        assert set(logs.kept(made)["item"]) == {"1", "2"}


REPEATS = [
    ("a", "x", 3, 10),
    ("a", "x", 5, 30),
    ("a", "x", 1, 20),
    ("b", "x", 2, 5),
    ("b", "y", 4, 6),
    ("b", "y", 5, 6),
]


@pytest.mark.parametrize(
    ("on_repeat", "expected"),
    [
        ("last", {("a", "x"): (5, 30), ("b", "x"): (2, 5), ("b", "y"): (5, 6)}),
        ("first", {("a", "x"): (3, 10), ("b", "x"): (2, 5), ("b", "y"): (5, 6)}),
        ("sum", {("a", "x"): (9, 30), ("b", "x"): (2, 5), ("b", "y"): (9, 6)}),
    ],
)
def test_repeats(home: Home, on_repeat: str, expected: dict[tuple[str, str], tuple[float, int]]) -> None:
    table = [(user, item, value, logs.START + time) for user, item, value, time in REPEATS]
    for seed in range(3):
        made = logs.dataset(
            home, logs.text(logs.shuffled(table, seed)), on_repeat=on_repeat, split="random:0.4"
        )
        found = {
            (user, item): (weight, time // 1_000_000 - logs.START)
            for user, item, time, weight in logs.kept(made).iter_rows()
        }
        assert found == expected
        assert made.manifest["counts"]["merged"] == 3


def test_thresholds_hold_in_train_and_leave_test_alone(home: Home) -> None:
    pairs = [
        (f"u{user}", f"i{item}")
        for user in range(12)
        for item in range(9)
        if (user * item) % 5 < 2 + user % 3
    ]
    table = [(user, item, 1, logs.START + place) for place, (user, item) in enumerate(logs.shuffled(pairs))]
    plain = logs.dataset(home, logs.text(table), valid=0).split()
    made = logs.dataset(home, logs.text(table), valid=0, min_user=4, min_item=5)
    train = made.split().train
    assert train.group_by("user").len()["len"].min() >= 4  # type: ignore[operator]
    assert train.group_by("item").len()["len"].min() >= 5  # type: ignore[operator]
    assert made.split().test.sort("user", "item").equals(plain.test.sort("user", "item"))
    assert made.manifest["counts"]["outside_core"] == plain.train.height - train.height > 0
    assert core(plain.train, 4, 5) == set(train.select("user", "item").iter_rows())


def core(table: pl.DataFrame, min_user: int, min_item: int) -> set[tuple[str, str]]:
    """By the definition: drop one thing after another until nothing falls short."""
    left = set(table.select("user", "item").iter_rows())
    while True:
        short = {
            (user, item)
            for user, item in left
            if sum(other == user for other, _ in left) < min_user
            or sum(other == item for _, other in left) < min_item
        }
        if not short:
            return left
        left -= short


def test_a_given_test_part_is_kept_but_for_what_is_in_train(home: Home, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("user_id,item_id\nu0,new\nu0,i0\nstranger,i1\nu1,new\nu1,new\n")
    made = logs.dataset(home, logs.text(ROWS, "user_id,item_id,rating,timestamp"), value="none", time="none",
                        test=str(tmp_path / "test.csv"))  # fmt: skip
    counts, sizes = made.manifest["counts"], made.manifest["sizes"]["test"]
    assert sorted(made.split().test.select("user", "item").rows()) == [
        ("stranger", "i1"), ("u0", "new"), ("u1", "new"),
    ]  # fmt: skip
    assert (counts["in_train"], counts["merged"]) == (1, 1)
    assert (sizes["cold_users"], sizes["cold_user_rows"], sizes["cold_items"], sizes["cold_item_rows"]) == (
        1,
        1,
        1,
        2,
    )
    assert logs.accounted(made)


def test_the_valid_part_of_a_time_split_lies_between(home: Home) -> None:
    split = logs.dataset(home, logs.text(ROWS)).split()
    assert split.train["time"].max() < split.valid["time"].min()  # type: ignore[operator]
    assert split.valid["time"].max() < split.test["time"].min()  # type: ignore[operator]
    assert (split.valid.height, split.test.height) == (3, 7)


@st.composite
def messy(draw: st.DrawFn) -> str:
    fields = (
        st.sampled_from(["a", "b", "c", "", " ", "ä"]),
        st.sampled_from(["x", "y", "z", ""]),
        st.sampled_from(["1", "5", "-1", "0", "nan", "inf", "many", ""]),
        st.sampled_from(["1600000000", "1600000001", "1600009999", "-5", "99999999999", "soon", ""]),
    )
    lines = draw(
        st.lists(
            st.tuples(*fields).map(",".join) | st.sampled_from(["", "a", "a,x,1,1600000000,5"]), max_size=30
        )
    )
    # More than half of the times are plausible, or no unit would be: that is an error of its own.
    good = [f"u{row % 7},i{row % 5},1,{1_600_000_000 + row}" for row in range(31)]
    return "\n".join(["user_id,item_id,rating,timestamp", *good, *lines])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=messy(), on_repeat=st.sampled_from(["last", "first", "sum"]), since=st.none() | st.just("2020-09-13")
)
def test_every_row_is_accounted_for(home: Home, text: str, on_repeat: str, since: str | None) -> None:
    made = logs.dataset(
        home,
        text,
        max_rejects=1,
        split="random:0.4",
        on_repeat=on_repeat,
        keep=["rating <> '-1'"],
        **({"since": since} if since else {}),
    )
    counts = made.manifest["counts"]
    assert logs.accounted(made)
    assert counts["read"] == text.count("\n") - text.endswith("\n")
    assert made.rejects().height == sum(counts["rejected"].values())
    assert dict(made.rejects()["reason"].value_counts().iter_rows()) == counts["rejected"]
    lines = text.split("\n")
    for line, shown in made.rejects().select("line", "text").iter_rows():
        assert shown.rstrip(",") == lines[line - 1].rstrip(",")
    assert logs.kept(made).select("user", "item").is_unique().all()


def test_the_same_again_is_unchanged(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS))
    options = EtlOptions(logs=[str(home.path.parent / "log.csv")])
    assert unchanged(made, options)
    assert not unchanged(made, options.model_copy(update={"seed": 1}))
    (home.path.parent / "log.csv").write_text(logs.text(ROWS[1:]))
    assert not unchanged(made, options)
    again = logs.dataset(home, logs.text(ROWS))
    assert (again.hash, again.split_hash) == (made.hash, made.split_hash)


def test_many_buckets_give_what_one_gives(home: Home) -> None:
    table = [
        (f"u{place % 37}", f"i{place * 7 % 53}", 1 + place % 5, logs.START + place) for place in range(3000)
    ]
    for split in ("time:0.2", "last:1", "random:0.2", "users:0.2"):
        options = {"split": split, "min_user": 3, "on_repeat": "sum"}
        one = logs.dataset(home, logs.text(table), **options)
        many = logs.dataset(home, logs.text(table), pieces=Pieces(bucket=300, batch=500), **options)
        assert (one.hash, one.split_hash) == (many.hash, many.split_hash)
        assert one.manifest["counts"] == many.manifest["counts"]

"""A synthetic log whose taste is known: for the demo and the benchmarks, and a truth to check models by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, TITLE, USER, WEIGHT
from recsys.errors import InputError
from recsys.seeds import generator
from recsys.storage.arrays import Codes, FloatArray, IntArray
from recsys.storage.files import replacing

Doubles = npt.NDArray[np.float64]

START: Final = 1_640_995_200  # 2022-01-01T00:00:00Z, seconds
SECONDS: Final = 2 * 365 * 86_400
ROWS_AT_ONCE: Final = 1_000_000

GENRES: Final = {
    "adventure": "Harbour Voyage Island Compass Summit Caravan",
    "animation": "Fox Balloon Robot Garden Kite Moonbeam",
    "comedy": "Wedding Landlord Holiday Mix-up Neighbour Waiter",
    "crime": "Alibi Ledger Witness Heist Verdict Informant",
    "documentary": "Glacier Orchestra Factory River Archive Migration",
    "drama": "Letter Winter Daughter Promise Silence House",
    "fantasy": "Dragon Spell Crown Forest Mirror Kingdom",
    "horror": "Cellar Whisper Asylum Doll Fog Séance",
    "musical": "Rhapsody Encore Chorus Ballad Overture Stage",
    "mystery": "Cipher Manor Key Stranger Shadow Painting",
    "romance": "Café Summer Rose Kiss Balcony Train",
    "science fiction": "Orbit Android Signal Colony Horizon Paradox",
    "sport": "Champion Sprint Goalkeeper Round Relay Underdog",
    "thriller": "Hostage Deadline Double Pursuit Betrayal Tunnel",
    "war": "Bridge Convoy Trench Armistice Pilot Siege",
    "western": "Saloon Sheriff Canyon Stampede Outlaw Frontier",
}
ADJECTIVES: Final = (
    "Quiet", "Last", "Golden", "Broken", "Hidden", "Distant", "Crimson", "Second", "Endless", "Paper",
    "Silver", "Midnight", "Lost", "Burning", "Gentle", "Frozen", "Secret", "Brave", "Hollow", "Electric",
    "Forgotten", "Wild", "Velvet", "Northern", "Restless", "Emerald", "Sleeping", "Final", "Little",
    "Perfect",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """Users with a taste for genres, and items that are of one genre each.

    A row at time t is drawn in three steps: a user who has arrived by t, by activity (log-normal); a genre,
    by the user's taste; an item of that genre released by t, by popularity (Zipf). So the probability that
    the next item of a user is i is ``taste[user, genre[i]]`` times the share of i in its genre.

    Args:
        taste: (U, G), rows sum to 1.
        genre: (I,), not falling.
        activity: (U,), positive.
        popularity: (I,), positive.
        arrival: (U,) in [0, 1), not falling: the share of the time span that has passed.
        release: (I,) in [0, 1), not falling within a genre.
        user_ids: (U,) numbers of the users: their ids do not tell when they came.
        item_ids: (I,) numbers of the items.
    """

    taste: Doubles
    genre: IntArray
    activity: Doubles
    popularity: Doubles
    arrival: Doubles
    release: Doubles
    user_ids: IntArray
    item_ids: IntArray

    @classmethod
    def make(cls, users: int, items: int, *, genres: int = 12, seed: int = 0) -> World:
        """Plant a taste: most of a user's weight is on two or three genres.

        Raises:
            InputError: If there are fewer items than genres, or fewer than 2 users, or no such number of
                genres.
        """
        if not 1 <= genres <= len(GENRES) or items < genres or users < 2:
            raise InputError(
                f"a world of {users} users, {items} items and {genres} genres cannot be made; give at least "
                f"2 users, 1 to {len(GENRES)} genres and as many items as genres"
            )
        rng = generator(seed, "world", users, items, genres)
        own = rng.dirichlet(np.full(genres, 0.12), size=users)  # (U, G)
        common = rng.dirichlet(np.full(genres, 4.0))  # (G,)
        genre = np.sort(np.concatenate([np.arange(genres), rng.integers(genres, size=items - genres)]))
        release = np.where(rng.random(items) < 0.85, 0.0, rng.random(items) * 0.9)
        release[np.searchsorted(genre, np.arange(genres))] = 0.0  # something of each genre is there at once
        return cls(
            taste=0.92 * own + 0.08 * common,
            genre=genre,
            activity=rng.lognormal(0.0, 1.0, users),
            popularity=np.power(rng.permutation(items) + 5.0, -0.9, dtype=np.float64),
            arrival=np.sort(np.where(rng.random(users) < 0.4, 0.0, rng.random(users) * 0.95)),
            release=release[np.lexsort((release, genre))],
            user_ids=rng.permutation(users) + 1,
            item_ids=rng.permutation(items) + 1,
        )

    def draw(self, rows: int, begin: float, end: float, rng: np.random.Generator) -> pl.DataFrame:
        """``rows`` rows between the shares ``begin`` and ``end`` of the time span, in the order of time.

        Returns:
            user, item (text), time (microseconds), weight (1).
        """
        at = np.sort(rng.uniform(begin, end, rows))
        user = _pick(self.activity, np.zeros(rows, np.int64), self._arrived(at), rng)
        wanted = self._genre_of(user, rng)
        first = np.searchsorted(self.genre, np.arange(self.taste.shape[1]))[wanted]
        last = np.searchsorted(self.genre + self.release, wanted + at, side="right")
        item = _pick(self.popularity, first, last, rng)
        return pl.DataFrame(
            {
                USER: pl.Series(self.user_ids[user]).cast(pl.String),
                ITEM: "i" + pl.Series(self.item_ids[item]).cast(pl.String),
                TIME: ((START + at * SECONDS).astype(np.int64)) * 1_000_000,
                WEIGHT: pl.repeat(1.0, rows, dtype=pl.Float32, eager=True),
            }
        )

    def chunks(self, rows: int, *, seed: int = 0, at_once: int = ROWS_AT_ONCE) -> Iterator[pl.DataFrame]:
        """A log of ``rows`` rows in the order of time, ``at_once`` rows at a time."""
        for number, begin in enumerate(range(0, rows, at_once)):
            end = min(begin + at_once, rows)
            yield self.draw(end - begin, begin / rows, end / rows, generator(seed, "rows", number))

    def items(self) -> pl.DataFrame:
        """item, title, genre of every item, by item number."""
        rng = generator(len(self.item_ids), "titles")
        names = list(GENRES)
        adjective, noun, year = (rng.integers(count, size=len(self.item_ids)) for count in (30, 6, 70))
        titles = [
            f"The {ADJECTIVES[a]} {GENRES[names[g]].split()[n]} ({1953 + y})"
            for a, n, y, g in zip(adjective, noun, year, self.genre, strict=True)
        ]
        table = {"number": self.item_ids, TITLE: titles, "genre": [names[g] for g in self.genre]}
        return (
            pl.DataFrame(table)
            .sort("number")
            .select(("i" + pl.col("number").cast(pl.String)).alias(ITEM), TITLE, "genre")
        )

    def chances(self, users: Codes) -> FloatArray:
        """The truth: users (n,) by position -> chance (n, I) that the next item is this one, all released."""
        share = self.popularity / np.bincount(self.genre, self.popularity)[self.genre]
        return (self.taste[users][:, self.genre] * share).astype(np.float32)

    def _genre_of(self, user: IntArray, rng: np.random.Generator) -> IntArray:
        ladder = np.cumsum(self.taste[user], axis=1)  # (n, G)
        passed = (ladder <= rng.random(len(user))[:, None]).sum(1)
        return np.asarray(np.minimum(passed, ladder.shape[1] - 1), dtype=np.int64)  # 1 missed by a rounding

    def _arrived(self, at: Doubles) -> IntArray:
        return np.maximum(np.searchsorted(self.arrival, at, side="right"), 1)


def planted(
    users: int = 1_500, items: int = 800, rows: int = 60_000, *, genres: int = 12, seed: int = 0
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A small log with planted taste, long tails, newcomers and repeats.

    Returns:
        The log (user, item, time, weight), in the order of time, and the items (item, title, genre).

    Example:
        >>> log, items = planted(users=50, items=30, rows=1000)
        >>> log.height, log.columns, items.columns
        (1000, ['user', 'item', 'time', 'weight'], ['item', 'title', 'genre'])
    """
    world = World.make(users, items, genres=genres, seed=seed)
    return pl.concat(list(world.chunks(rows, seed=seed))), world.items()


def write_csv(path: Path, world: World, rows: int, *, seed: int = 0) -> None:
    """Write a log with the columns user, item, timestamp (seconds), a chunk at a time: memory stays flat."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        for number, chunk in enumerate(world.chunks(rows, seed=seed)):
            table = chunk.select(USER, ITEM, (pl.col(TIME) // 1_000_000).alias("timestamp"))
            table.write_csv(file, include_header=number == 0)


def _pick(weights: Doubles, first: IntArray, last: IntArray, rng: np.random.Generator) -> IntArray:
    """For each row a position in ``first .. last - 1``, by weight."""
    total = np.concatenate([[0.0], np.cumsum(weights)])
    low, high = total[first], total[last]
    found = np.searchsorted(total, low + rng.random(len(first)) * (high - low), side="right") - 1
    return np.asarray(np.clip(found, first, last - 1), dtype=np.int64)

"""What `recsys etl` can be asked for; also the ``data:`` section of a pipeline file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["auto", "csv", "tsv", "parquet", "jsonl", "dat", "adjacency", "movielens"]


class EtlOptions(BaseModel):
    """Options of ``recsys etl``, with the names they have in a pipeline file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    logs: list[str] = Field(min_length=1, description="Files, globs or folders.")
    name: str | None = Field(default=None, description="Name of the dataset; the file's or folder's own.")
    format: Format = Field(default="auto", description="Format of the log; auto goes by the extension.")
    user: str | int | None = Field(default=None, description="Column of the user: a name or a position from 0.")
    item: str | int | None = Field(default=None, description="Column of the item.")
    time: str | int | None = Field(default=None, description="Column of the time.")
    value: str | int | None = Field(default=None, description="Column of the rating or weight.")
    event: str | int | None = Field(default=None, description="Column of the kind of event.")
    event_weights: dict[str, float] = Field(default_factory=dict, description="Weight of each kind of event.")
    positive_from: float | None = Field(default=None, description="Smallest value that counts as a positive.")
    half_life: str | None = Field(default=None, description="Time in which a weight halves, as 90d.")
    keep: list[str] = Field(default_factory=list, description="SQL conditions that a row must meet.")
    since: str | None = Field(default=None, description="First moment to keep, as 2024-01-31.")
    until: str | None = Field(default=None, description="First moment no longer kept.")
    min_user: int = Field(default=1, ge=1, description="Fewest train rows of a user.")
    min_item: int = Field(default=1, ge=1, description="Fewest train rows of an item.")
    on_repeat: Literal["last", "first", "sum"] = Field(default="last", description="What becomes of repeats.")
    time_format: str | None = Field(default=None, description="strptime format of the time.")
    split: str | None = Field(default=None, description="time:0.2, last:1, random:0.2 or users:0.1.")
    test: str | None = Field(default=None, description="Test file of a split that came with the data.")
    valid: float = Field(default=0.1, ge=0, lt=1, description="Share of train that is held out for choices.")
    items: str | None = Field(default=None, description="File about the items.")
    item_key: str | int | None = Field(default=None, description="Its column of the item.")
    title: str | int | None = Field(default=None, description="Its column of the title.")
    users: str | None = Field(default=None, description="File about the users.")
    max_rejects: float = Field(default=0.05, ge=0, le=1, description="Largest share of rejected rows.")
    seed: int = Field(default=0, ge=0, description="Seed of random splits.")

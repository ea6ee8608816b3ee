"""What ``recsys etl`` can be asked for; also the ``data:`` section of a pipeline file."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recsys.data.etl.separators import separator_of
from recsys.errors import InputError

NONE = "none"
Format = Literal["auto", "csv", "tsv", "parquet", "jsonl", "dat", "adjacency", "movielens"]
# A column: its name, its position from 0 in a file without header, or ``none``.
Column: TypeAlias = str | int | None


class EtlOptions(BaseModel):
    """Options of ``recsys etl``, under the names they have in a pipeline file.

    Example:
        >>> EtlOptions(logs=["ratings.csv"], positive_from=4).split is None
        True
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    logs: list[str] = Field(default_factory=list, description="Files, globs or folders.")
    name: str | None = Field(
        default=None, description="Name of the dataset; by default the file's or folder's."
    )
    format: Format = Field(
        default="auto", description="Format of the log; auto goes by extension and content."
    )
    separator: str | None = Field(
        default=None, description="What separates fields, as ';', '::', tab or space; by default guessed."
    )
    header: bool | None = Field(
        default=None, description="Whether the first line names columns; by default judged by its words."
    )
    user: Column = Field(default=None, description="Column of the user.")
    item: Column = Field(default=None, description="Column of the item.")
    time: Column = Field(default=None, description="Column of the time; none: leave it out.")
    value: Column = Field(default=None, description="Column of the rating or weight; none: leave it out.")
    event: Column = Field(default=None, description="Column of the kind of event.")
    event_weights: dict[str, float] = Field(
        default_factory=dict, description="Weight of each kind of event; other kinds are left out."
    )
    positive_from: float | None = Field(
        default=None, allow_inf_nan=False, description="Smallest value that counts; what counts weighs 1."
    )
    half_life: str | None = Field(default=None, description="Age at which a weight is halved, as 90d.")
    keep: list[str] = Field(default_factory=list, description="SQL conditions that a row must meet.")
    since: str | None = Field(default=None, description="First moment kept, as 2024-01-31.")
    until: str | None = Field(default=None, description="First moment no longer kept.")
    min_user: int = Field(default=1, ge=1, description="Fewest train rows of a user.")
    min_item: int = Field(default=1, ge=1, description="Fewest train rows of an item.")
    on_repeat: Literal["last", "first", "sum"] = Field(
        default="last", description="What a repeated (user, item) becomes."
    )
    time_format: str | None = Field(default=None, description="strptime format of the time.")
    split: str | None = Field(
        default=None,
        description="time:0.2, last:1, random:0.2 or users:0.1; by default the first; without times, random.",
    )
    test: str | None = Field(default=None, description="Test file of a split that came with the data.")
    valid: float = Field(default=0.1, ge=0, lt=1, description="Share of train held out for choices.")
    items: str | None = Field(default=None, description="File about the items.")
    item_key: Column = Field(default=None, description="Its column of the item.")
    title: Column = Field(default=None, description="Its column of the title; none: leave it out.")
    users: str | None = Field(default=None, description="File about the users.")
    max_rejects: float = Field(default=0.05, ge=0, le=1, description="Largest share of unusable rows, as 5%.")
    seed: int = Field(default=0, ge=0, description="Seed of random splits.")

    @classmethod
    def of(cls, values: dict[str, Any]) -> EtlOptions:
        """Check values.

        Raises:
            InputError: That names every fault.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError("; ".join(_fault(fault) for fault in error.errors())) from error

    def asked_columns(self) -> list[str]:
        """Columns of the log that are asked for, by name or position."""
        asked = (self.user, self.item, self.time, self.value, self.event)
        return [str(each) for each in asked if each is not None and each != NONE]

    @field_validator("logs", "keep", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("max_rejects", mode="before")
    @classmethod
    def _percent(cls, value: object) -> object:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
        return float(match[1]) / 100 if match else value

    @field_validator("separator")
    @classmethod
    def _separates(cls, value: str | None) -> str | None:
        if value is not None:
            separator_of(value)
        return value

    @field_validator("event_weights")
    @classmethod
    def _positive(cls, weights: dict[str, float]) -> dict[str, float]:
        for event, weight in weights.items():
            if not 0 < weight < float("inf"):
                raise ValueError(f"the weight of {event!r} is {weight:g}; give one above 0")
        return weights

    @field_validator("half_life")
    @classmethod
    def _length(cls, value: str | None) -> str | None:
        from recsys.data.etl.timestamps import span

        if value is not None:
            span(value)
        return value

    @model_validator(mode="after")
    def _together(self) -> EtlOptions:
        if self.split is not None and self.test is not None:
            raise ValueError("give either split or test: a test file is the split")
        if self.item_key is not None and self.items is None:
            raise ValueError("item_key needs items, the file it is a column of")
        if self.event is not None and not self.event_weights:
            raise ValueError("event needs event_weights, as view=1,purchase=10")
        return self


def _fault(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"{where}: there is no such option; there are: {', '.join(EtlOptions.model_fields)}"
    return f"{where} = {fault['input']!r}: {message}" if where else message

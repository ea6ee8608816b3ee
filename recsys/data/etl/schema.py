"""Columns that each row of a file carries until it is kept or rejected, and labels of rejected rows."""

from __future__ import annotations

from typing import Final

LINE: Final = "recsys line"  # from 1
FAULT: Final = "recsys fault"  # null, or why the row is unusable
MORE: Final = "recsys more"  # a field beyond the last column
RAW: Final = "recsys raw"  # the row as text
VALUE: Final = "recsys value"  # as the log has it; the weight may be 1 in its place
FILE: Final = "recsys file"  # position of the file among the sources
OUTCOME: Final = "recsys outcome"  # null: kept; else the reason

BLANK: Final = "blank line"
WITHOUT_ITEMS: Final = "user without items"
# Not rows at all, so neither rejected nor dropped by a rule.
HARMLESS: Final = (BLANK, WITHOUT_ITEMS)

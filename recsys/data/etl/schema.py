"""Columns that travel with each row of a file until it is kept or not, and what becomes of a row."""

from __future__ import annotations

from typing import Final

LINE: Final = "recsys line"  # from 1
FAULT: Final = "recsys fault"  # null, or why the row is unusable as it stands
MORE: Final = "recsys more"  # a field beyond the last column
RAW: Final = "recsys raw"  # the row as text
VALUE: Final = "recsys value"  # as the log has it; the weight may be 1 in its place
FILE: Final = "recsys file"  # position of the file among the sources
OUTCOME: Final = "recsys outcome"  # null: kept; else a label of ``clean``

BLANK: Final = "blank line"
WITHOUT_ITEMS: Final = "user without items"
# No rows at all, so neither rejected nor anybody's rule.
HARMLESS: Final = (BLANK, WITHOUT_ITEMS)

"""Docstrings as mkdocstrings reads them: it knows a section ``Examples`` and no literal block ``::``."""

from __future__ import annotations

from typing import Any

import griffe


class Docstrings(griffe.Extension):
    """Rename the section, and leave out the marker of a block, which is indented anyway."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """See ``griffe.Extension``."""
        if obj.docstring:
            text = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
            obj.docstring.value = text.replace("\n::\n", "\n")

"""What mkdocs writes into the pages: the parts as the program lists them, losses drawn from their code."""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path
from typing import Any

from recsys import plugins

sys.path.insert(0, str(Path(__file__).parent))
import plots


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Replace ``<!-- parts FAMILY NAME... -->``, ``<!-- all parts -->`` and ``<!-- plot NAME... -->``."""
    markdown = re.sub(
        r"<!-- parts (\w+) ([\w ]+) -->", lambda found: _table(found[1], found[2].split()), markdown
    )
    markdown = re.sub(r"<!-- all parts -->", lambda found: _all(), markdown)
    return re.sub(r"<!-- plot ([\w ]+) -->", lambda found: _plot(found[1].split()), markdown)


def _table(family: str, names: list[str]) -> str:
    rows = ["| part | what it asks | how |", "|---|---|---|"]
    for name in names:
        part = plugins.part(family, name)
        how = (
            " ".join(_prose(part.documentation).split("\n\n")[1].split())
            if "\n\n" in part.documentation
            else ""
        )
        rows.append(f"| [`{name}`](parts.md#{family}-{name}) | {_cell(part.summary)} | {_cell(how)} |")
    return "\n".join(rows)


def _all() -> str:
    return "\n\n".join(
        f"## {family}\n\n" + "\n\n".join(_part(plugins.part(family, name)) for name in plugins.names(family))
        for family in plugins.FAMILIES
    )


def _part(part: plugins.Part) -> str:
    tries = part.constants.get("tries", {})
    rows = [
        f"| `{option.name}` | {_cell(f'`{option.annotation}`')} | {_default(option.default)} "
        f"| {_cell(_ticks(part.described_options.get(option.name, '')))}"
        + (f" Tried: {', '.join(map(str, tries[option.name]))}." if option.name in tries else "")
        + " |"
        for option in part.options
    ]
    options = "\n".join(["| option | type | default | |", "|---|---|---|---|", *rows]) if rows else ""
    heading = f"### `{part.name}` {{ #{part.family}-{part.name} }}"
    return "\n\n".join(each for each in (heading, _prose(part.documentation), options) if each)


def _default(value: Any) -> str:
    return "required" if value is plugins.REQUIRED else f"`{value!r}`"


def _prose(documentation: str) -> str:
    """A docstring as Markdown: without its arguments, which make a table, and with its example as code."""
    text, _, example = documentation.partition("\nExample:\n")
    sections = re.split(r"\n(?=(?:Args|Returns|Raises):\n)", text)
    kept = [sections[0]]
    for section in sections[1:]:
        _, _, after = section.partition("\n\n")
        kept.append(after)
    prose = _ticks("\n\n".join(each.strip() for each in kept if each.strip()))
    code = "\n".join(line.removeprefix("    ") for line in example.splitlines())
    return prose + (f"\n\n```pycon\n{code.strip()}\n```" if code.strip() else "")


def _ticks(text: str) -> str:
    return text.replace("``", "`").replace("_x_", "x")


def _cell(text: str) -> str:
    """Text of a table's cell; a code span cannot hold a bar there, an element can."""
    coded = re.sub(r"`([^`]+)`", lambda found: f"<code>{escape(found[1], quote=False)}</code>", text)
    return coded.replace("|", "&#124;")


def _plot(names: list[str]) -> str:
    return f'<figure class="plot" aria-label="{escape(", ".join(names))}">{plots.losses(names)}</figure>'

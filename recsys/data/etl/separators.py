r"""What may separate the fields of a text file.

Example:
    >>> separator_of("tab"), separator_of("::")
    ('\t', '::')
"""

from __future__ import annotations

from typing import Final

from recsys.errors import InputError

SPACES: Final = " "  # any number of spaces and tabs between two fields
UNIT: Final = "\x1f"  # replaces SPACES, or a separator of several characters, in a plain copy
_LONGEST: Final = 8
_NAMED: Final = {
    "comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "pipe": "|", "space": SPACES, "spaces": SPACES,
    "whitespace": SPACES, "\\s+": SPACES,
}  # fmt: skip


def separator_of(text: str) -> str:
    """The separator that ``--separator`` names: a character, several, or a word for one.

    Raises:
        InputError: If it can be none.
    """
    wanted = _NAMED.get(text.lower(), text)
    if not wanted or any(each in wanted for each in '"\r\n') or len(wanted) > _LONGEST:
        raise InputError(
            f"--separator {text!r} cannot separate fields; give one or a few characters, as ';' or '::', "
            f"or one of: {', '.join(_NAMED)}"
        )
    return wanted


def as_one_byte(separator: str) -> str:
    """The character that separates fields in the plain copy of a file."""
    return UNIT if separator == SPACES or len(separator) > 1 or not separator.isascii() else separator

"""Usage errors as one line, like all other errors."""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup

# What is raised where a command line cannot be read; typer gives no other way to it.
UsageError: Final[type[Exception]] = cast("type[Exception]", typer.BadParameter.__mro__[1])


class OneLine(TyperGroup):
    """The commands, without the box that typer draws around a usage error."""

    def main(self, *args: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run a command line; exit 2 on a usage error."""
        try:
            code = super().main(*args, **(options | {"standalone_mode": False}))
        except UsageError as error:
            if type(error).__name__ != "NoArgsIsHelpError":  # the help is printed already
                print(f"error: {explained(error)}", file=sys.stderr, flush=True)
            code = 2
        if not standalone_mode:
            return code
        sys.exit(code or 0)


def explained(error: Any) -> str:
    """What is wrong with a command line, and what to do."""
    context = error.ctx
    see = f"see {context.command_path} --help" if context else "see recsys --help"
    option = getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        close = get_close_matches(option, error.possibilities or (), n=1)
        return f"no such option {option}; " + (f"did you mean {close[0]}?" if close else see)
    message = " ".join(error.format_message().split())
    message = message[:1].lower() + message[1:]
    if message.endswith("?"):  # typer asks whether another command was meant
        return re.sub(r"\. Did you mean", "; did you mean", message)
    return f"{message.rstrip('.')}; {see}"

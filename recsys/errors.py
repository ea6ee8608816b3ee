"""The errors that the user caused or can fix; the command line prints them in one line."""


class RecsysError(Exception):
    """Something failed while running; the message says what, and what to do next."""

    exit_code = 1


class InputError(RecsysError):
    """The request or the input was wrong: what, the value, what is allowed, what to do next."""

    exit_code = 2


class StoppedError(RecsysError):
    """A person stopped the work with Ctrl-C; the message says how to go on."""

    exit_code = 130

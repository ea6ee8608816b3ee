"""Options of a loss that no default can know are chosen on the validation set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from recsys import plugins
from recsys.choosing import climb
from recsys.models.composition import Choice, named


def with_options(loss: Choice, quality: Callable[[Choice, str, float], float]) -> Choice:
    """The loss with what it leaves to the log chosen, one option after the other.

    Those are the options that are None and have values worth trying, the class variable ``tries`` of the
    loss. The first is tried with the middle values of the others, see ``climb``.

    Args:
        loss: Its name, or name and options.
        quality: Judges a whole loss; it is also given the option and the value that are tried.

    Returns:
        Name and options; the loss as it is where it leaves nothing open.
    """
    name, given = named(loss)
    tries: Mapping[str, Sequence[float]] = plugins.part("losses", name).constants.get("tries", {})
    left = {option: values for option, values in tries.items() if given.get(option) is None}
    chosen = {option: values[len(values) // 2] for option, values in left.items()}
    best: float | None = None
    for option, values in left.items():

        def judged(value: float, option: str = option) -> float:
            return quality({"name": name, **given, **chosen, option: value}, option, value)

        chosen[option], best = climb(values, judged, best)
    return {"name": name, **given, **chosen} if left else loss

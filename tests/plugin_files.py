"""Parts of others, for tests: a user's file, and a package as an installer leaves it."""

from pathlib import Path

LOSS = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class SquaredHinge:
    """A negative must be farther than the positive by a margin; violations are squared.

    Args:
        margin: In units of the distance's score.
    """

    margin: float = 0.4
    family: ClassVar[str] = "losses"
    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __call__(self, pairs: Pairs) -> Terms:
        """See the class."""
        pairs = pairs.wide()
        gap = self.margin + pairs.neg - pairs.pos[:, None]
        return Terms(torch.relu(gap) ** 2, pairs.mask)
'''

METRIC = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class FirstHit:
    """1 where the item at rank 1 is a hit, else 0; NaN without a test item."""

    k: int = 1
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        return np.where(ranked.sizes > 0, ranked.hits[:, 0], np.nan)
'''

COMMAND = '''
def register(app):
    @app.command("greet")
    def greet(name: str = "you") -> None:
        """Greet someone."""
        print(f"hello {name}")
'''

ENTRY_POINTS = """\
[recsys.losses]
squared_hinge = their_parts.losses:SquaredHinge

[recsys.metrics]
first_hit = their_parts.metrics:FirstHit

[recsys.commands]
greet = their_parts.commands:register
"""


def package(folder: Path, name: str = "their-parts", entry_points: str = ENTRY_POINTS) -> Path:
    """An installed distribution in ``folder``, without a wheel or an installer; returns its package."""
    module = folder / name.replace("-", "_")
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("")
    (module / "losses.py").write_text(LOSS)
    (module / "metrics.py").write_text(METRIC)
    (module / "commands.py").write_text(COMMAND)
    info = folder / f"{module.name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entry_points)
    return module

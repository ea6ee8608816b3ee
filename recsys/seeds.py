"""Random generators that depend on a seed and a name, never on the order of calls."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed from a seed and a path of names.

    Example:
        >>> derive(0, "sampler") == derive(0, "sampler"), derive(0, "sampler") == derive(0, "shuffle")
        (True, False)
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator of its own for the path of names."""
    return np.random.default_rng(derive(seed, *names))


def torch_generator(seed: int, *names: str | int, device: str | torch.device = "cpu") -> torch.Generator:
    """A torch generator of its own for the path of names, on ``device``."""
    import torch

    return torch.Generator(device=device).manual_seed(derive(seed, *names))

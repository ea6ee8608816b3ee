"""Room for the scores of a batch, kept from step to step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(slots=True)
class Scratch:
    """A flat tensor that grows to the largest request; fresh pages for each step would cost a fifth of it."""

    flat: Tensor | None = None

    def take(self, size: int, like: Tensor) -> Tensor:
        """``size`` numbers of any content, of the type and on the device of another tensor."""
        flat = self.flat
        if flat is None or len(flat) < size or (flat.dtype, flat.device) != (like.dtype, like.device):
            flat = self.flat = torch.empty(size, dtype=like.dtype, device=like.device)
        return flat[:size]

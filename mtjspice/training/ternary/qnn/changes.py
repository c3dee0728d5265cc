"""What makes changes of parameters of their gradients."""

import math
from typing import Any

import torch

from mtjspice.training.ternary.plan import Proposer

_DECAYS = (0.9, 0.999)
_SMALLEST = 1e-8
"""Of Adam."""
_MOMENTUM = 0.9


class Changes:
    """Proposed changes, from gradients: Adam, momentum or plain descent."""

    def __init__(self, proposer: Proposer, size: int, device: Any) -> None:
        self.kept = [torch.zeros(size, device=device) for _ in range(proposer.kept)]
        self.steps = 0

    def of(self, gradient: Any, rate: float) -> Any:
        """Return the change of (n,) parameters; it may be overwritten."""
        self.steps += 1
        if not self.kept:
            return gradient.mul(-rate)
        if len(self.kept) == 1:
            return self.kept[0].mul_(_MOMENTUM).add_(gradient, alpha=1 - _MOMENTUM).mul(-rate)
        first, second = self.kept
        first.lerp_(gradient, 1 - _DECAYS[0])
        second.mul_(_DECAYS[1]).addcmul_(gradient, gradient, value=1 - _DECAYS[1])
        scale = rate * math.sqrt(1 - _DECAYS[1] ** self.steps) / (1 - _DECAYS[0] ** self.steps)
        return second.sqrt().add_(_SMALLEST).reciprocal_().mul_(first).mul_(-scale)

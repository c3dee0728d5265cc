"""Adam (Kingma and Ba, 2015), at a rate that falls as a cosine."""

import math

import numpy as np

_DECAYS = (0.9, 0.999)
_SMALLEST = 1e-8


def cosine_rate(first: float, share: float) -> float:
    """Return the rate after a share, 0 to 1, of all steps: from `first` to 0."""
    return first * 0.5 * (1 + math.cos(math.pi * share))


def descend(value: np.ndarray, slope: np.ndarray, moments: np.ndarray, step: int, rate: float) -> None:
    """Change `value` by one step of Adam.

    Args:
        value: any shape.
        slope: of the loss, of that shape.
        moments: (2, shape) running means of slopes and of their squares; changed.
        step: from 1.
        rate: of learning.
    """
    mean, square = moments
    mean += (1 - _DECAYS[0]) * (slope - mean)
    square += (1 - _DECAYS[1]) * (slope * slope - square)
    first, second = (1 - decay**step for decay in _DECAYS)
    value -= rate / first * mean / (np.sqrt(square / second) + _SMALLEST)

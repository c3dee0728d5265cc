"""Levels at which a deterministic or simulated P takes given values."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from mtjspice.errors import ModelError
from mtjspice.switching.link import link

Probability = Callable[[float], float]
"""P as a function of the level, at one width."""

_LARGEST_FACTOR = 2.0**10


def level_where(probability: Probability, target: float, start: float, lowest: float = 0.0) -> float:
    """Return the level at which `probability` reaches `target`, to 1 part in 10^7.

    Args:
        probability: rising with the level.
        target: between 0 and 1.
        start: a level of the right magnitude.
        lowest: the level down to which `probability` is defined.

    Raises:
        ModelError: P reaches the target nowhere near `start`.
    """

    low, high = bracket(probability, target, target, start, lowest)
    if low == high:
        return low

    def distance(level: float) -> float:
        return float(link(np.clip(probability(level), 1e-13, 1 - 1e-13)) - link(np.array(target)))

    return float(brentq(distance, low, high, rtol=1e-7, xtol=1e-7 * start))


def bracket(
    probability: Probability, at_most: float, at_least: float, start: float, lowest: float = 0.0
) -> tuple[float, float]:
    """Return two levels around `start`, the lower with P no more than `at_most`, the higher with at least `at_least`.

    Raises:
        ModelError: there are none within three powers of ten.
    """
    start = max(start, lowest)
    bounds = (max(lowest, start / _LARGEST_FACTOR), start * _LARGEST_FACTOR)
    low = high = start
    while probability(low) > at_most:
        low = _within(max(low / 1.3, lowest) if low > lowest else 0.0, bounds, at_most)
    while probability(high) < at_least:
        high = _within(high * 1.3, bounds, at_least)
    return low, high


def _within(level: float, bounds: tuple[float, float], target: float) -> float:
    if not bounds[0] <= level <= bounds[1]:
        raise ModelError(
            f"no pulse level switches with probability {target:g} at this width",
            given=f"levels from {bounds[0]:.3g} to {bounds[1]:.3g}",
            next_step="choose other widths in the campaign card, or another engine; the widths may be far too short or "
            "too long for this junction",
        )
    return level

"""The switching surface of a cell from the Fokker-Planck equation, on a grid that refines itself where P bends.

The solver does not resolve the smallest probabilities. Below `_RESOLVED` the surface continues, on the scale of `link`,
on straight lines in time from `_START` at no width. So a junction has a history from the first picosecond on, and when
its voltage changes during that incubation it keeps the share of it that it has been through (equivalent time).
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.fokker_planck import switching_probabilities_in_series
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s, critical_level
from mtjspice.switching.cell_kernels import CEILING
from mtjspice.switching.cell_surface import CellSurface, shared_series_ohm
from mtjspice.switching.link import inverse_link, link

_SERIES = 9
_COARSEST = 16
"""Intervals of voltage before any is halved."""
_OCTAVES = 6
_WIDTHS_PER_OCTAVE = 12
_TOLERANCE = 0.003
_RELATIVE_TOLERANCE = 0.1
"""The smaller of the two holds at the midpoint of an interval that is not halved again."""
_NOISE = 1e-10
"""The expansion leaves up to 8e-11 of a pulse that does nothing."""
_RESOLVED = 1e-9
_START = 1e-60


def cell_surface(
    parameters: MacrospinParameters,
    direction: Direction,
    on_progress: Callable[[int, int], None],
    *,
    largest_v: float = 2.2,
    longest_s: float = 12e-9,
) -> CellSurface:
    """Return the surface of one direction; some four seconds on one core.

    Args:
        parameters: an axially symmetric junction.
        direction: of switching.
        on_progress: told how much of 100 is done.
        largest_v: where the surface ends. In the worst case a sneak path sees V_P - V_AP (paper, section 4.4): 1.85 V
            for the paper's junction.
        longest_s: where its widths end; several phases may add up.

    Raises:
        ModelError: the junction is not axially symmetric, or `largest_v` far too strong to resolve.
    """
    scale_ohm = _scale_ohm(parameters, direction)
    series_ohm = shared_series_ohm(scale_ohm, _SERIES)
    widths_s = longest_s * _octaves(_OCTAVES, _WIDTHS_PER_OCTAVE)

    def solve(voltage_v: float) -> np.ndarray:
        """Return P, (series, widths)."""
        return np.array(
            [
                switching_probabilities_in_series(parameters, direction, [voltage_v], list(widths_s), r)[0]
                for r in series_ohm
            ]
        )

    def refine(low_v: float, high_v: float) -> None:
        middle_v = (low_v + high_v) / 2
        rows[middle_v] = solve(middle_v)
        if _bends(rows[low_v], rows[middle_v], rows[high_v]):
            refine(low_v, middle_v)
            refine(middle_v, high_v)
        on_progress(round(100 * high_v / largest_v), 100)

    starts_v = [largest_v * n / _COARSEST for n in range(_COARSEST + 1)]
    rows = {v: solve(v) for v in starts_v}
    for low_v, high_v in pairwise(starts_v):
        refine(low_v, high_v)
    voltages_v = np.array(sorted(rows))
    probability = np.stack([rows[v] for v in voltages_v], axis=1)
    # Rounding need not be monotone.
    probability[:, :, 0] = 0
    for axis in (1, 2):
        np.maximum.accumulate(probability, axis=axis, out=probability)
    for one in probability:
        _continue_down(one, voltages_v, widths_s)
    return CellSurface(direction, voltages_v, widths_s, scale_ohm, probability)


def _scale_ohm(parameters: MacrospinParameters, direction: Direction) -> float:
    """Return dV/dI of the initial state where writes begin, at 1.5 times the critical voltage.

    A series resistance r weakens the current's response to a turn of m by 1/(1 + r dI/dV), in which P is nearly linear.
    """
    v = 1.5 * critical_level(parameters, direction, Drive.VOLTAGE)
    ends = np.array([0.99, 1.01]) * v
    currents = ends * conductance_s(parameters, ends, np.full(2, parameters.initial_projection(direction)))
    return float(np.diff(ends)[0] / np.diff(currents)[0])


def _octaves(octaves: int, per_octave: int) -> np.ndarray:
    """Return 0 ... 1 in steps that double from octave to octave; below the last octave they are equal."""
    steps = np.arange(per_octave) / per_octave
    return np.concatenate([steps * 2.0**-octaves, *((1 + steps) * 2.0 ** (n - octaves) for n in range(octaves)), [1.0]])


def _bends(low: np.ndarray, middle: np.ndarray, high: np.ndarray) -> bool:
    """Return whether P at the middle of an interval is not what interpolation makes of its ends."""
    at_low, at_high = (link(p.clip(_NOISE, CEILING)) for p in (low, high))
    interpolated = inverse_link((at_low + at_high) / 2)
    tolerance = np.minimum(_TOLERANCE, _RELATIVE_TOLERANCE * middle) + 1e-8
    return bool((np.abs(interpolated - middle) > tolerance).any())


def _continue_down(probability: np.ndarray, voltages_v: np.ndarray, widths_s: np.ndarray) -> None:
    """Replace what is not resolved in `probability`, (voltages, widths), both rising."""
    start, resolved = link(np.array([_START, _RESOLVED]))
    reaches = probability[:, -1] > _RESOLVED
    lowest_v = voltages_v[reaches].min(initial=voltages_v[-1])
    for row, v, reached in zip(probability, voltages_v, reaches, strict=True):
        if reached:
            first = int(np.argmax(row > _RESOLVED))
            ends = link(row[first - 1 : first + 1].clip(_NOISE))
            incubation_s = np.interp(resolved, ends, widths_s[first - 1 : first + 1])
            share = widths_s[:first] / incubation_s
        else:
            # Any continuation that rises with voltage would do.
            first = len(widths_s)
            share = widths_s / widths_s[-1] * v / lowest_v
        row[:first] = inverse_link(start + (resolved - start) * share)

"""Compiled look-ups in the tables of a `CellSurface`, for use inside other kernels.

The surface is linear in voltage, width and share r/(r + scale) on the scale of `switching.link`: monotone like its
grid, and `time_to` inverts `lookup` exactly. Indices are unsigned because numba tests signed ones for being negative.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled

SMALLEST = 1e-300
"""Stands for zero, whose link is infinite."""
CEILING = 1 - 2.0**-24
"""Probabilities from this on are one: the Fokker-Planck expansion leaves 1e-8 of certainty."""

_NEXT = np.uint64(1)
_ROUNDING = 1e-8
"""Of a link that was a probability near 1 in between."""


class Axis(NamedTuple):
    """Increasing knots that start at 0, and equal buckets, none of which holds two of them."""

    knots: Any
    slopes: Any
    """1/length of each interval between knots."""
    first: Any
    """(buckets + 1,) the interval in which each bucket begins."""
    per_unit: float
    """Buckets per unit of the knots."""


class Tables(NamedTuple):
    """A surface as kernels see it."""

    intervals: int
    """Of equally spaced shares, from 0 to 1."""
    scale_ohm: float
    voltage: Axis
    width: Axis
    links: Any
    """(shares, voltages, widths), contiguous."""


def axis_of(knots: np.ndarray) -> Axis:
    """Return the axis of (n,) increasing knots, the first of them 0."""
    lengths = np.diff(knots)
    buckets = math.ceil(knots[-1] / lengths.min())
    starts = np.arange(buckets + 1) * knots[-1] / buckets
    first = np.searchsorted(knots, starts, side="right").clip(max=len(lengths)) - 1
    return Axis(knots, 1 / lengths, first.astype(np.uint64), buckets / float(knots[-1]))


@compiled(forceinline=True)
def _locate(axis, value):  # type: ignore[no-untyped-def]
    """Return the interval of a value in [0, last knot], and where in it the value lies, 0 to 1."""
    i = axis.first[np.uint64(value * axis.per_unit)]
    i += np.uint64(value > axis.knots[i + _NEXT])
    return i, (value - axis.knots[i]) * axis.slopes[i]


@compiled(forceinline=True)
def _locate_share(tables, r_ohm):  # type: ignore[no-untyped-def]
    # Written so that infinity has a share of 1.
    position = tables.intervals * (1.0 - tables.scale_ohm / (r_ohm + tables.scale_ohm))
    i = min(np.uint64(position), np.uint64(tables.intervals - 1))
    return i, position - i


@compiled(forceinline=True)
def _at_width(links, i, j, a, b, k):  # type: ignore[no-untyped-def]
    """Return the link at knot k of width, at a in the interval i of shares and b in the interval j of voltages."""
    low = links[i, j, k] + b * (links[i, j + _NEXT, k] - links[i, j, k])
    high = links[i + _NEXT, j, k] + b * (links[i + _NEXT, j + _NEXT, k] - links[i + _NEXT, j, k])
    return low + a * (high - low)


@compiled()
def lookup(tables, v_v, t_s, r_ohm):  # type: ignore[no-untyped-def]
    """Return P of one pulse; NaN where an argument is none, or the voltage is above the surface.

    Args:
        tables: of a `CellSurface`.
        v_v: voltage over the junction in its initial state; P = 0 at zero and below.
        t_s: width; P = 0 at zero and below, and past the surface the longest width counts.
        r_ohm: series resistance, from 0 to infinity.
    """
    if not (v_v <= tables.voltage.knots[-1] and t_s <= math.inf and r_ohm >= 0.0):
        return math.nan
    if v_v <= 0.0 or t_s <= 0.0:
        return 0.0
    i, a = _locate_share(tables, r_ohm)
    j, b = _locate(tables.voltage, v_v)
    k, c = _locate(tables.width, min(t_s, tables.width.knots[-1]))
    low = _at_width(tables.links, i, j, a, b, k)
    high = _at_width(tables.links, i, j, a, b, k + _NEXT)
    p = math.exp(-math.exp(-(low + c * (high - low))))
    return p if p < CEILING else 1.0


@compiled()
def time_to(tables, v_v, p, r_ohm):  # type: ignore[no-untyped-def]
    """Return the width at which P reaches `p`: 0 for p = 0, infinity where the surface ends below p.

    Arguments as for `lookup`, and NaN as there.
    """
    if not (v_v <= tables.voltage.knots[-1] and p <= 1.0 and r_ohm >= 0.0):
        return math.nan
    if p <= 0.0:
        return 0.0
    if v_v <= 0.0:
        return math.inf
    i, a = _locate_share(tables, r_ohm)
    j, b = _locate(tables.voltage, v_v)
    target = -math.log(-math.log(p))
    below, above = np.uint64(0), np.uint64(tables.width.slopes.size)
    most = _at_width(tables.links, i, j, a, b, above)
    if target >= most:
        return math.inf if target > most + _ROUNDING else tables.width.knots[above]
    if _at_width(tables.links, i, j, a, b, below) >= target:
        return 0.0
    while above > below + _NEXT:
        middle = (below + above) >> _NEXT
        if _at_width(tables.links, i, j, a, b, middle) < target:
            below = middle
        else:
            above = middle
    low, high = _at_width(tables.links, i, j, a, b, below), _at_width(tables.links, i, j, a, b, above)
    return tables.width.knots[below] + (target - low) / ((high - low) * tables.width.slopes[below])


@compiled()
def lookup_each(tables, v_v, t_s, r_ohm):  # type: ignore[no-untyped-def]
    """Return `lookup` of arrays, (n,) each."""
    found = np.empty(v_v.size)
    for n in range(v_v.size):
        found[n] = lookup(tables, v_v[n], t_s[n], r_ohm[n])
    return found


@compiled()
def time_to_each(tables, v_v, p, r_ohm):  # type: ignore[no-untyped-def]
    """Return `time_to` of arrays, (n,) each."""
    found = np.empty(v_v.size)
    for n in range(v_v.size):
        found[n] = time_to(tables, v_v[n], p[n], r_ohm[n])
    return found

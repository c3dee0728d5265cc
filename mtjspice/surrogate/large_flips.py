"""Compiled kernels: which cells of a large array flip in one write phase.

A cell that can flip draws one number u and has flipped when its probability reaches u. Few do: for every row or column
there is a bound p that none of its cells can pass, and cells with u below p are found by jumps of a geometric
distribution (thinning); only those candidates are looked at. A candidate of a 1R array that is not merely selected goes
through the voltages of its lines, merged into segments, and remembers as `surrogate.history` has it.

Tables of a pair are by state: 0, AP to P, and 1, P to AP.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled
from mtjspice.junction.memory import FLOOR, NO_LAG
from mtjspice.switching.cell_kernels import lookup, time_to

_SAME_V = 0.04
"""Voltages that differ by less are one segment, at their mean in time."""
_LEVEL_V = 0.002
"""A rise by less is one of accuracy."""
_FAR_KT = 6.0
_SOON_TAU_D = 2.0
"""As in `surrogate.history`."""
_STEP_TAU_D = 0.05
"""Of the midpoint rule for m_z."""
_NEAR_CRITICAL = 1e-6
_LEAST_DEPTH = 1e-12
_LARGEST_SPREAD = 1e3
"""As in `junction.memory`."""
_MARGIN = 2.0
"""A floating row's bound is that of a single pulse; its cells' voltage grows in steps."""


class Junction(NamedTuple):
    """A nominal junction, and by how much the array's differ from it."""

    tables: Any
    """Pair of `cell_kernels.Tables`."""
    g_s: float
    """Conductance in P."""
    tmr: float
    v_h_v: float
    critical_a: Any
    """(2,) I_c0."""
    rate_per_s: Any
    """(2,) kappa of `junction.memory`."""
    saddle: float
    tau_d_s: float
    strength: float
    """Of the drift in m_z, per ampere, as in `junction.turning`."""
    asymmetry: float
    stability_kt: float
    """Over kT, of the energy stability_kt (1 - m_z^2 + 2 saddle m_z)."""
    excess: Any
    """(2,) the largest ratio of a cell's conductance to the nominal one's."""


class CellArrays(NamedTuple):
    """Cells, (columns, rows) each."""

    g_s: Any
    """float32, in P; 0 where open."""
    tmr: Any
    """float32, 0 where linear."""
    state: Any
    switches: Any
    """bool."""


class PhaseLines(NamedTuple):
    """One phase: its lines' levels and, in 1R, voltages."""

    level_v: Any
    """(rows,) junction levels, 0 of floating rows."""
    source_v: Any
    """(rows,) driver levels, by which a current counts as power."""
    row_floats: Any
    on_s: Any
    """(columns,) for how long each is selected."""
    duration_s: float
    r_ohm: float
    """Select resistance of a cell."""


@compiled(forceinline=True)
def _conductance_s(g_s, tmr, ratio):  # type: ignore[no-untyped-def]
    """Return g/(1 + tmr/(1 + ratio^2)), with one division."""
    bias = 1.0 + ratio * ratio
    return g_s * bias / (bias + tmr)


@compiled(forceinline=True)
def _own_s(cells, i, j, v_v, v_h_v):  # type: ignore[no-untyped-def]
    """Return a cell's conductance in its state."""
    return _conductance_s(cells.g_s[j, i], 0.0 if cells.state[j, i] else cells.tmr[j, i], v_v / v_h_v)


@compiled(forceinline=True)
def _nominal_s(junction, state, v_v):  # type: ignore[no-untyped-def]
    return _conductance_s(junction.g_s, 0.0 if state else junction.tmr, v_v / junction.v_h_v)


@compiled(forceinline=True)
def _behind(junction, cells, i, j, level_v, r_ohm):  # type: ignore[no-untyped-def]
    """Return a cell's voltage behind a resistance at whose other end a nominal cell of its state is at `level_v`."""
    if r_ohm == 0.0:
        return level_v
    source_v = level_v * (1.0 + r_ohm * _nominal_s(junction, cells.state[j, i], level_v))
    v = level_v
    for _ in range(8):
        v = source_v / (1.0 + r_ohm * _own_s(cells, i, j, v, junction.v_h_v))
    return v


@compiled(forceinline=True)
def _bound(junction, state, v_v, t_s, r_ohm):  # type: ignore[no-untyped-def]
    """Return a probability that no cell passes; a cell beyond the surface is caught where it is looked at."""
    tables, excess = junction.tables[state], junction.excess[state]
    return lookup(tables, min(v_v * excess, tables.voltage.knots[-1]), t_s, r_ohm * excess)


@compiled(forceinline=True)
def _jump(rng, p):  # type: ignore[no-untyped-def]
    """Return how many cells to go to the next candidate, at least 1."""
    if p >= 1.0:
        return 1
    return 1 + int(min(math.log(1.0 - rng.random()) / math.log1p(-p), 1e9))


@compiled()
def selected_flips(rng, junction, cells, phase):  # type: ignore[no-untyped-def]
    """Flip cells while they are selected; return their energy, first power and the candidates that have not flipped.

    Returns:
        J; W; (n, 2) row and column, and (n,) u, complete for the whole phase.

    Raises:
        ValueError: a voltage beyond the surface.
    """
    places, drawn = [(0, 0)], [0.0]
    places.clear()
    drawn.clear()
    energy_j, power_w = 0.0, 0.0
    selected = np.flatnonzero(phase.on_s > 0)
    low_v, high_v = min(phase.level_v.min(), 0.0), max(phase.level_v.max(), 0.0)
    for i in range(phase.level_v.size):
        level_v = phase.level_v[i]
        if level_v == 0.0:
            continue
        state = int(level_v > 0)
        source_v, out = phase.source_v[i], 1.0 if level_v > 0 else -1.0
        for j in selected:
            v = _behind(junction, cells, i, j, level_v, phase.r_ohm)
            own_w = source_v * v * _own_s(cells, i, j, v, junction.v_h_v)
            power_w += own_w
            energy_j += own_w * phase.on_s[j]
        reach_v = abs(level_v) if phase.r_ohm > 0 else max(level_v - low_v, 0.0) if out > 0 else high_v - level_v
        bound = _bound(junction, state, reach_v, phase.duration_s, phase.r_ohm)
        if bound <= FLOOR:
            continue
        k = _jump(rng, bound) - 1
        while k < selected.size:
            j = selected[k]
            u = bound * (1.0 - rng.random())
            if cells.state[j, i] == state and cells.switches[j, i]:
                v = _behind(junction, cells, i, j, level_v, phase.r_ohm)
                before_s = _own_s(cells, i, j, v, junction.v_h_v)
                scale = before_s / _nominal_s(junction, state, v)
                volts, ohms = out * v * scale, phase.r_ohm * scale
                p = lookup(junction.tables[state], volts, phase.on_s[j], ohms)
                if math.isnan(p):
                    raise ValueError("voltage")
                if u <= p:
                    left_s = phase.on_s[j] - time_to(junction.tables[state], volts, u, ohms)
                    cells.state[j, i] = 1 - state
                    after_v = v
                    if phase.r_ohm > 0:
                        emf_v = v * (1.0 + phase.r_ohm * before_s)
                        for _ in range(8):
                            after_v = emf_v / (1.0 + phase.r_ohm * _own_s(cells, i, j, after_v, junction.v_h_v))
                    after_s = _own_s(cells, i, j, after_v, junction.v_h_v)
                    energy_j += source_v * (after_v * after_s - v * before_s) * left_s
                else:
                    places.append((i, j))
                    drawn.append(u)
            k += _jump(rng, bound)
    found = np.empty((len(places), 2), np.int64)
    for n in range(len(places)):
        found[n, 0], found[n, 1] = places[n]
    return energy_j, power_w, found, np.array(drawn)


@compiled()
def false_flips(rng, junction, cells, phase, lines, starts_s, places, drawn):  # type: ignore[no-untyped-def]
    """Return the cells, (n, 2), that flip though they are not selected, or no longer.

    Raises:
        ValueError: a voltage beyond the surface.

    Args:
        rng: draws.
        junction: nominal.
        cells: with the states after `selected_flips`.
        phase: levels.
        lines: `large_lines.Lines`.
        starts_s: (events + 1,) the events, and the phase's end.
        places: (n, 2) candidates that `selected_flips` left.
        drawn: (n,) theirs.
    """
    flips = [(0, 0)]
    flips.clear()
    events = starts_s.size - 1
    v_v, ratio = np.empty(events), np.empty(events)
    height, width = phase.level_v.size, phase.on_s.size
    for n in range(drawn.size):
        i, j = places[n]
        if _walk(rng, junction, cells, phase, lines, starts_s, i, j, drawn[n], v_v, ratio):
            flips.append((i, j))
    never = np.flatnonzero(phase.on_s == 0)
    every = np.arange(width)
    lowest_v, highest_v = np.full(2, math.inf), np.full(2, -math.inf)
    for k, columns in enumerate((never, every)):
        for j in columns:
            lowest_v[k] = min(lowest_v[k], lines.column_v[j].min())
            highest_v[k] = max(highest_v[k], lines.column_v[j].max())
    for i in range(height):
        if phase.row_floats[i]:
            continue
        level_v = phase.level_v[i]
        for state in range(2):
            out = 2.0 * state - 1.0
            # Selected columns have been drawn for, where the row drives out of this state.
            k = 0 if out * level_v > 0 else 1
            columns = never if k == 0 else every
            reach_v = level_v - lowest_v[k] if state else highest_v[k] - level_v
            bound = _bound(junction, state, reach_v, phase.duration_s, 0.0) if reach_v > 0 and columns.size else 0.0
            if bound <= FLOOR:
                continue
            at = _jump(rng, bound) - 1
            while at < columns.size:
                j = columns[at]
                u = bound * (1.0 - rng.random())
                can_flip = cells.state[j, i] == state and cells.switches[j, i]
                if can_flip and _walk(rng, junction, cells, phase, lines, starts_s, i, j, u, v_v, ratio):
                    flips.append((i, j))
                at += _jump(rng, bound)
    floating = np.flatnonzero(phase.row_floats)
    if floating.size:
        row_low_v, row_high_v = np.empty(events), np.empty(events)
        for k in range(events):
            row_low_v[k], row_high_v[k] = math.inf, -math.inf
            for i in floating:
                row_low_v[k] = min(row_low_v[k], lines.row_v[k, i])
                row_high_v[k] = max(row_high_v[k], lines.row_v[k, i])
        for j in range(width):
            for state in range(2):
                for k in range(events):
                    high_v, low_v = row_high_v[k] - lines.column_v[j, k], row_low_v[k] - lines.column_v[j, k]
                    v_v[k] = high_v if state else -low_v
                    largest_s = junction.excess[state] * _nominal_s(junction, state, v_v[k])
                    ratio[k] = v_v[k] * largest_s / junction.critical_a[state]
                bound = _single_pulse(junction, state, v_v, ratio, starts_s)[0]
                if bound <= FLOOR:
                    continue
                at = _jump(rng, bound) - 1
                while at < floating.size:
                    i = floating[at]
                    u = bound * (1.0 - rng.random())
                    can_flip = cells.state[j, i] == state and cells.switches[j, i]
                    if can_flip and _walk(rng, junction, cells, phase, lines, starts_s, i, j, u, v_v, ratio):
                        flips.append((i, j))
                    at += _jump(rng, bound)
    found = np.empty((len(flips), 2), np.int64)
    for n in range(len(flips)):
        found[n, 0], found[n, 1] = flips[n]
    return found


@compiled()
def _single_pulse(junction, state, v_v, ratio, starts_s):  # type: ignore[no-untyped-def]
    """Return a bound of the probability that voltages drive out of a state, and the last event above I_c0, or -1.

    That of one pulse at the highest of them, for as long as any current exceeds I_c0. Until then the angle spreads by
    less than at I_c0, where s grows by 2 kappa a second.
    """
    first, last, at = -1, -1, 0
    for k in range(ratio.size):
        if ratio[k] > 1.0:
            first = k if first < 0 else first
            at = k if ratio[k] > ratio[at] else at
            last = k
    if last < 0:
        return 0.0, last
    rate = junction.rate_per_s[state]
    head_s = _head_start_s(1.0 + 2.0 * rate * starts_s[first], ratio[at], rate)
    # At this voltage the nominal junction carries the cell's current.
    volts = ratio[at] * junction.critical_a[state] / _nominal_s(junction, state, v_v[at])
    p = lookup(junction.tables[state], volts, head_s + starts_s[last + 1] - starts_s[first], 0.0)
    if math.isnan(p):
        raise ValueError("voltage")
    return min(_MARGIN * p, 1.0), last


@compiled()
def _walk(rng, junction, cells, phase, lines, starts_s, i, j, u, v_v, ratio):  # type: ignore[no-untyped-def]
    """Return whether a candidate flips; `v_v` and `ratio` are scratch."""
    state = cells.state[j, i]
    out, row_floats, on_s = 2.0 * state - 1.0, phase.row_floats[i], phase.on_s[j] * (1.0 - 1e-12)
    tables, rate, critical_a = junction.tables[state], junction.rate_per_s[state], junction.critical_a[state]
    g_s, tmr = float(cells.g_s[j, i]), 0.0 if state else float(cells.tmr[j, i])
    events = starts_s.size - 1
    held = 0
    while held < events and starts_s[held] < on_s:
        held += 1
    level_v, per_v_h, per_a, rises, before_v = phase.level_v[i], 1.0 / junction.v_h_v, out / critical_a, 0, 0.0
    for k in range(events):
        if row_floats or k == 0 or k >= held:
            v = (lines.row_v[k, i] if row_floats else level_v) - lines.column_v[j, k]
            drive = v * per_a * _conductance_s(g_s, tmr, v * per_v_h)
            if k > 0 and out * (v - before_v) > _LEVEL_V:
                rises = k
            before_v = v
        # Otherwise both lines are held.
        v_v[k], ratio[k] = v, drive
    bound, last = _single_pulse(junction, state, v_v, ratio, starts_s)
    if bound < u:
        return False
    spread, lag, depth, mz = 1.0, NO_LAG, -math.log(u), math.nan
    k = 0
    while k < events and (k <= last or not math.isnan(mz)):
        # One segment: voltages that are alike, before or after the column switches off.
        start, sum_vs, floats = k, 0.0, k >= held
        while k < events and abs(v_v[k] - v_v[start]) <= _SAME_V and (k >= held) == floats:
            sum_vs += v_v[k] * (starts_s[k + 1] - starts_s[k])
            k += 1
        t_s, left_s = starts_s[k] - starts_s[start], starts_s[events] - starts_s[k]
        v = sum_vs / t_s
        own_s = _conductance_s(g_s, tmr, v * per_v_h)
        drive = v * own_s * per_a
        scale = own_s / _nominal_s(junction, state, v)
        volts = out * v * scale
        ohms = scale * (lines.row_ohm[i] + (lines.column_ohm[j] if floats else 0.0))
        if not math.isnan(mz):
            energy_kt = _energy_kt(junction, mz, out)
            if energy_kt < _FAR_KT:
                depth = _with_noise(rng, energy_kt, 1.0 - energy_kt / _FAR_KT) / spread
                lag, mz = NO_LAG, math.nan
        if not math.isnan(mz):
            before = mz
            mz = _followed(junction, mz, out, out * volts, ohms, t_s)
            if (mz - junction.saddle) * out < 0.0:
                return True
            if k > rises and (mz - before) * out > 0.0:
                return False
        elif drive > 0.0:
            head_s = min(_head_start_s(spread, drive, rate), tables.width.knots[-1])
            depth = _depth_at(depth, lag, _lag_of(lookup(tables, volts, head_s, ohms)))
            reached = lookup(tables, volts, head_s + t_s, ohms)
            if drive > 1.0:
                own = math.exp(-depth)
                if reached >= own:
                    return True
                crosses_s = time_to(tables, volts, own, ohms) - head_s - t_s
                if k > rises and crosses_s >= left_s:
                    return False
                if crosses_s < _SOON_TAU_D * junction.tau_d_s:
                    mz = _followed(junction, junction.saddle, out, out * volts, ohms, -crosses_s)
                    if _energy_kt(junction, mz, out) < _FAR_KT:
                        mz = math.nan
            lag = _lag_of(reached)
        else:
            later = _spread_after(spread, drive, rate, t_s)
            kept = min(math.exp(2.0 * rate * (drive - 1.0) * t_s) * spread / later, 1.0)
            depth = _with_noise(rng, kept * _depth_at(depth, lag, NO_LAG), 1.0 - kept)
            lag = NO_LAG
        spread = _spread_after(spread, drive, rate, t_s)
    return False


@compiled(forceinline=True)
def _above(ratio):  # type: ignore[no-untyped-def]
    above = ratio - 1.0
    return _NEAR_CRITICAL if abs(above) < _NEAR_CRITICAL else above


@compiled(forceinline=True)
def _spread_after(spread, ratio, rate_per_s, t_s):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.spread_after`."""
    above = _above(ratio)
    grown = math.exp(min(2.0 * rate_per_s * above * t_s, 50.0)) * (spread + 1.0 / above) - 1.0 / above
    return min(max(grown, 0.0), _LARGEST_SPREAD)


@compiled(forceinline=True)
def _head_start_s(spread, ratio, rate_per_s):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.head_start_s`."""
    above = _above(ratio)
    growth = (spread * above + 1.0) / (above + 1.0)
    return math.log(growth) / (2.0 * rate_per_s * above) if growth > 0.0 else math.inf


@compiled(forceinline=True)
def _lag_of(probability):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.lag_of`."""
    return -1.0 / math.log(min(max(probability, FLOOR), 1.0 - _LEAST_DEPTH))


@compiled(forceinline=True)
def _depth_at(depth, lag_before, lag_now):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.depth_at`."""
    return 1.0 / max(1.0 / max(depth, _LEAST_DEPTH) + lag_now - lag_before, _LEAST_DEPTH)


@compiled(forceinline=True)
def _with_noise(rng, squared, noise):  # type: ignore[no-untyped-def]
    """Return a squared angle with noise in both components, `noise` its mean square."""
    sigma = math.sqrt(max(noise, 0.0) / 2.0)
    along, across = sigma * rng.standard_normal(), sigma * rng.standard_normal()
    return (math.sqrt(max(squared, 0.0)) + along) ** 2 + across**2


@compiled(forceinline=True)
def _energy_kt(junction, mz, pole):  # type: ignore[no-untyped-def]
    """Return the energy above the well's bottom."""
    return junction.stability_kt * (1.0 - mz * mz + 2.0 * junction.saddle * (mz - pole))


@compiled()
def _followed(junction, mz, pole, v_v, r_ohm, t_s):  # type: ignore[no-untyped-def]
    """Return m_z after `t_s`, which may be negative, or beyond the saddle as soon as it has crossed it.

    As `junction.turning.turn`, for one nominal junction at `v_v` in its state.
    """
    g_p, g_ap = junction.g_s, _nominal_s(junction, 0, v_v)
    mean_s, slope_s = (g_p + g_ap) / 2.0, (g_p - g_ap) / 2.0
    source_v = v_v * (1.0 + r_ohm * (mean_s + slope_s * pole))
    steps = max(1, math.ceil(abs(t_s) / (junction.tau_d_s * _STEP_TAU_D)))
    step = t_s / junction.tau_d_s / steps
    for _ in range(steps):
        middle = mz + 0.5 * step * _velocity(junction, mz, mean_s, slope_s, source_v, r_ohm)
        mz = min(max(mz + step * _velocity(junction, middle, mean_s, slope_s, source_v, r_ohm), -1.0), 1.0)
        if t_s > 0.0 and (mz - junction.saddle) * pole < 0.0:
            break
    return mz


@compiled(forceinline=True)
def _velocity(junction, mz, mean_s, slope_s, source_v, r_ohm):  # type: ignore[no-untyped-def]
    """Return dm_z/dt in units of 1/tau_D."""
    conductance_s = mean_s + slope_s * mz
    # strength I/(1 + asymmetry m_z), with one division.
    torque = junction.strength * source_v * conductance_s
    torque /= (1.0 + r_ohm * conductance_s) * (1.0 + junction.asymmetry * mz)
    return (1.0 - mz * mz) * (mz - junction.saddle + torque)

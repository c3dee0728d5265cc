"""Compiled kernels: which cells of a large array flip in one write phase, one direction at a time.

A cell that can flip draws one number u and has flipped when its probability reaches u. Few do: for every row or column
there is a bound p that none of its cells can pass, and cells with u below p are found by jumps of a geometric
distribution (thinning); only those candidates are looked at. A candidate of a 1R array that is not merely selected goes
through the voltages of its lines, merged into segments, and remembers as `surrogate.history` has it.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled
from mtjspice.junction.memory import FLOOR, LARGEST_SPREAD, LEAST_DEPTH, NEAR_CRITICAL, NO_LAG
from mtjspice.surrogate.history import FAR_KT, SOON_TAU_D
from mtjspice.switching.cell_kernels import lookup, time_to

_SAME_V = 0.04
"""Voltages that differ by less are one segment, at their mean in time."""
_RISE_V = 0.002
"""A rise by less is one of accuracy."""
_STEP_TAU_D = 0.1
"""Of the midpoint rule for m_z."""
_MARGIN = 2.0
"""Of the bound by a single pulse, because voltages grow and fall in steps."""
_ITERATIONS = 8
"""Of a junction's voltage behind a select resistance that is a tenth of its own."""


class BeyondSurfaceError(Exception):
    """A voltage is higher than those of the switching surface."""


class Junction(NamedTuple):
    """A nominal junction and how it leaves one state."""

    state: int
    """That is left."""
    out: float
    """Sign of the voltage that drives out of it; also m_z of its pole."""
    g_s: float
    """Conductance in P."""
    tmr: float
    v_h_v: float
    critical_a: float
    """I_c0."""
    rate_per_s: float
    """kappa of `junction.memory`."""
    saddle: float
    tau_d_s: float
    strength: float
    """Of the drift in m_z, per ampere, as in `junction.turning`."""
    asymmetry: float
    stability_kt: float
    """The energy over kT is stability_kt (1 - m_z^2 + 2 saddle m_z)."""
    excess: float
    """The largest ratio of a cell's conductance to the nominal one's in this state."""


class CellArrays(NamedTuple):
    """Cells, (columns, rows) each."""

    g_s: Any
    """float32, in P; 0 where open."""
    tmr: Any
    """float32, in AP; 0 where linear."""
    own_tmr: Any
    """float32, in the present state."""
    state: Any
    switches: Any
    """bool."""


class PhaseLines(NamedTuple):
    """What holds the lines in one phase."""

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


@compiled()
def flip(cells, places):  # type: ignore[no-untyped-def]
    """Change the states of the cells at `places`, (n, 2) row and column."""
    for n in range(len(places)):
        i, j = places[n, 0], places[n, 1]
        cells.state[j, i] = 1 - cells.state[j, i]
        cells.own_tmr[j, i] = np.float32(0) if cells.state[j, i] else cells.tmr[j, i]


@compiled(forceinline=True)
def _conductance_s(g_s, tmr, ratio):  # type: ignore[no-untyped-def]
    """Return g/(1 + tmr/(1 + ratio^2)), with one division."""
    bias = 1.0 + ratio * ratio
    return g_s * bias / (bias + tmr)


@compiled(forceinline=True)
def _nominal_s(junction, v_v):  # type: ignore[no-untyped-def]
    return _conductance_s(junction.g_s, 0.0 if junction.state else junction.tmr, v_v / junction.v_h_v)


@compiled(forceinline=True)
def _behind(g_s, tmr, v_h_v, source_v, r_ohm):  # type: ignore[no-untyped-def]
    """Return a junction's voltage behind a resistance."""
    v = source_v
    if r_ohm > 0.0:
        for _ in range(_ITERATIONS):
            v = source_v / (1.0 + r_ohm * _conductance_s(g_s, tmr, v / v_h_v))
    return v


@compiled(forceinline=True)
def _jump(rng, p):  # type: ignore[no-untyped-def]
    """Return how many cells to go to the next candidate, at least 1."""
    if p >= 1.0:
        return 1
    return 1 + int(min(math.log(1.0 - rng.random()) / math.log1p(-p), 1e9))


@compiled()
def _bound(tables, junction, v_v, t_s, r_ohm):  # type: ignore[no-untyped-def]
    """Return a probability that no cell passes; a cell beyond the surface is caught where it is looked at."""
    v_v = min(v_v * junction.excess, tables.voltage.knots[-1])
    return lookup(tables, v_v, t_s, r_ohm * junction.excess)


@compiled()
def selected_flips(rng, tables, junction, cells, phase):  # type: ignore[no-untyped-def]
    """Flip cells while they are selected; return their energy, first power and the candidates that have not flipped.

    Args:
        rng: draws.
        tables: of the direction's `CellSurface`.
        junction: as it leaves the direction's initial state. Rows that drive out of the other one do not count.
        cells: changed in place.
        phase: levels and times.

    Returns:
        J; W; (n, 2) row and column, and (n,) u, complete for the whole phase.

    Raises:
        BeyondSurfaceError: a voltage beyond the surface.
    """
    flips, places, drawn = [(0, 0)], [(0, 0)], [0.0]
    flips.clear()
    places.clear()
    drawn.clear()
    energy_j, power_w = 0.0, 0.0
    state, out, v_h_v, r_ohm = junction.state, junction.out, junction.v_h_v, phase.r_ohm
    selected = np.flatnonzero(phase.on_s > 0)
    # Of the other lines' voltages.
    farthest_v = max((-out * phase.level_v).max(), 0.0) if r_ohm == 0.0 else 0.0
    for i in range(phase.level_v.size):
        level_v, source_v = phase.level_v[i], phase.source_v[i]
        if out * level_v <= 0.0:
            continue
        # What is at the other end of the select resistance.
        behind_v = level_v * (1.0 + r_ohm * _nominal_s(junction, level_v))
        for j in selected:
            g_s, tmr = float(cells.g_s[j, i]), float(cells.own_tmr[j, i])
            v = _behind(g_s, tmr, v_h_v, behind_v, r_ohm)
            own_w = source_v * v * _conductance_s(g_s, tmr, v / v_h_v)
            power_w += own_w
            energy_j += own_w * phase.on_s[j]
        bound = _bound(tables, junction, out * level_v + farthest_v, phase.duration_s, r_ohm)
        if bound <= FLOOR:
            continue
        k = _jump(rng, bound) - 1
        while k < selected.size:
            j, u = selected[k], bound * (1.0 - rng.random())
            k += _jump(rng, bound)
            if cells.state[j, i] != state or not cells.switches[j, i]:
                continue
            g_s, tmr = float(cells.g_s[j, i]), float(cells.tmr[j, i])
            own_tmr, other_tmr = (0.0, tmr) if state else (tmr, 0.0)
            v = _behind(g_s, own_tmr, v_h_v, behind_v, r_ohm)
            own_s = _conductance_s(g_s, own_tmr, v / v_h_v)
            # The nominal junction carries the cell's current at a voltage in the ratio of the conductances.
            scale = own_s / _nominal_s(junction, v)
            p = lookup(tables, out * v * scale, phase.on_s[j], r_ohm * scale)
            if math.isnan(p):
                raise BeyondSurfaceError
            if u <= p:
                flips.append((i, j))
                left_s = phase.on_s[j] - time_to(tables, out * v * scale, u, r_ohm * scale)
                other_v = _behind(g_s, other_tmr, v_h_v, behind_v, r_ohm)
                other_a = other_v * _conductance_s(g_s, other_tmr, other_v / v_h_v)
                energy_j += source_v * (other_a - v * own_s) * left_s
            else:
                places.append((i, j))
                drawn.append(u)
    flip(cells, _pairs(flips))
    return energy_j, power_w, _pairs(places), np.array(drawn)


@compiled()
def _pairs(places):  # type: ignore[no-untyped-def]
    found = np.empty((len(places), 2), np.int64)
    for n in range(len(places)):
        found[n, 0], found[n, 1] = places[n]
    return found


@compiled()
def false_flips(rng, tables, junction, cells, phase, lines, starts_s, places, drawn):  # type: ignore[no-untyped-def]
    """Return the cells, (n, 2) row and column, that flip though they are not selected, or no longer. None is changed.

    Args:
        rng: draws.
        tables: of the direction's `CellSurface`.
        junction: as it leaves the direction's initial state.
        cells: with the states after `selected_flips`.
        phase: levels and times.
        lines: `large_lines.Lines`.
        starts_s: (events + 1,) the events, and the phase's end.
        places: (n, 2) candidates that `selected_flips` left.
        drawn: (n,) theirs.

    Raises:
        BeyondSurfaceError: a voltage beyond the surface.
    """
    state, out, per_v_h = junction.state, junction.out, 1.0 / junction.v_h_v
    events = starts_s.size - 1
    v_v, ratio = np.empty(events), np.empty(events)
    more = [(0, 0, 0.0)]
    more.clear()
    for n in range(drawn.size):
        more.append((places[n, 0], places[n, 1], drawn[n]))
    _driven_candidates(rng, tables, junction, phase, lines, more)
    _floating_candidates(rng, tables, junction, phase, lines, starts_s, v_v, ratio, more)
    flips = [(0, 0)]
    flips.clear()
    for i, j, u in more:
        if cells.state[j, i] != state or not cells.switches[j, i]:
            continue
        g_s, tmr, row_floats = float(cells.g_s[j, i]), 0.0 if state else float(cells.tmr[j, i]), phase.row_floats[i]
        held, on_s = 0, phase.on_s[j] * (1.0 - 1e-12)
        while held < events and starts_s[held] < on_s:
            held += 1
        rises, v, drive = 0, 0.0, 0.0
        for k in range(events):
            if row_floats or k == 0 or k >= held:
                before_v = v
                v = (lines.row_v[k, i] if row_floats else phase.level_v[i]) - lines.column_v[j, k]
                drive = out * v * _conductance_s(g_s, tmr, v * per_v_h) / junction.critical_a
                if k > 0 and out * (v - before_v) > _RISE_V:
                    rises = k
            # Otherwise both lines are held.
            v_v[k], ratio[k] = v, drive
        row_ohm, column_ohm = lines.row_ohm[i], lines.column_ohm[j]
        if _walk(rng, tables, junction, g_s, tmr, v_v, ratio, starts_s, held, rises, row_ohm, column_ohm, u):
            flips.append((i, j))
    return _pairs(flips)


@compiled()
def _driven_candidates(rng, tables, junction, phase, lines, more):  # type: ignore[no-untyped-def]
    """Append candidates in driven rows: in columns never selected, or in all if the row drives into the state."""
    out = junction.out
    never, every = np.flatnonzero(phase.on_s == 0), np.arange(phase.on_s.size)
    never_v, every_v = 0.0, 0.0
    for j in every:
        highest_v = (-out * lines.column_v[j]).max()
        every_v = highest_v if j == 0 else max(every_v, highest_v)
    for k, j in enumerate(never):
        highest_v = (-out * lines.column_v[j]).max()
        never_v = highest_v if k == 0 else max(never_v, highest_v)
    for i in range(phase.level_v.size):
        if phase.row_floats[i]:
            continue
        drives = out * phase.level_v[i] > 0
        columns = never if drives else every
        reach_v = out * phase.level_v[i] + (never_v if drives else every_v)
        bound = _bound(tables, junction, reach_v, phase.duration_s, 0.0)
        if bound <= FLOOR:
            continue
        k = _jump(rng, bound) - 1
        while k < columns.size:
            more.append((i, columns[k], bound * (1.0 - rng.random())))
            k += _jump(rng, bound)


@compiled()
def _floating_candidates(rng, tables, junction, phase, lines, starts_s, v_v, ratio, more):  # type: ignore[no-untyped-def]
    """Append candidates in floating rows."""
    floating = np.flatnonzero(phase.row_floats)
    if floating.size == 0:
        return
    out, events = junction.out, v_v.size
    highest_v = np.empty(events)
    for k in range(events):
        row_v = lines.row_v[k]
        highest = out * row_v[floating[0]]
        for i in floating:
            highest = max(highest, out * row_v[i])
        highest_v[k] = highest
    for j in range(phase.on_s.size):
        for k in range(events):
            v_v[k] = highest_v[k] - out * lines.column_v[j, k]
            ratio[k] = v_v[k] * junction.excess * _nominal_s(junction, v_v[k]) / junction.critical_a
        bound = _single_pulse(tables, junction, v_v, ratio, starts_s)[0]
        if bound <= FLOOR:
            continue
        k = _jump(rng, bound) - 1
        while k < floating.size:
            more.append((floating[k], j, bound * (1.0 - rng.random())))
            k += _jump(rng, bound)


@compiled()
def _single_pulse(tables, junction, v_v, ratio, starts_s):  # type: ignore[no-untyped-def]
    """Return a bound of the probability that voltages drive out of the state, and the last event above I_c0, or -1.

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
    head_s = _head_start_s(1.0 + 2.0 * junction.rate_per_s * starts_s[first], ratio[at], junction.rate_per_s)
    # At this voltage the nominal junction carries the cell's current.
    volts = ratio[at] * junction.critical_a / _nominal_s(junction, v_v[at])
    p = lookup(tables, volts, head_s + starts_s[last + 1] - starts_s[first], 0.0)
    if math.isnan(p):
        raise BeyondSurfaceError
    return min(_MARGIN * p, 1.0), last


@compiled()
def _walk(  # type: ignore[no-untyped-def]
    rng, tables, junction, g_s, tmr, v_v, ratio, starts_s, held, rises, row_ohm, column_ohm, u
):
    """Return whether a candidate flips.

    Args:
        rng: for noise.
        tables: of the direction.
        junction: of the direction.
        g_s: the cell's conductance in P.
        tmr: its own, 0 in P.
        v_v: (events,) its voltage.
        ratio: (events,) its I/I_c0, positive out of its state.
        starts_s: (events + 1,).
        held: the event at which its column begins to float.
        rises: the last event at which the voltage that drives it out rises.
        row_ohm: in series, always.
        column_ohm: in series, once the column floats.
        u: its draw.
    """
    out, rate, per_v_h, events = junction.out, junction.rate_per_s, 1.0 / junction.v_h_v, v_v.size
    bound, last = _single_pulse(tables, junction, v_v, ratio, starts_s)
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
        drive = out * v * own_s / junction.critical_a
        scale = own_s / _nominal_s(junction, v)
        volts = out * v * scale
        ohms = scale * (row_ohm + (column_ohm if floats else 0.0))
        if not math.isnan(mz):
            energy_kt = _energy_kt(junction, mz)
            if energy_kt < FAR_KT:
                depth = _with_noise(rng, energy_kt, 1.0 - energy_kt / FAR_KT) / spread
                lag, mz = NO_LAG, math.nan
        if not math.isnan(mz):
            before = mz
            mz = _followed(junction, mz, out * volts, ohms, t_s)
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
                if crosses_s < SOON_TAU_D * junction.tau_d_s:
                    mz = _followed(junction, junction.saddle, out * volts, ohms, -crosses_s)
                    if _energy_kt(junction, mz) < FAR_KT:
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
    return NEAR_CRITICAL if abs(above) < NEAR_CRITICAL else above


@compiled(forceinline=True)
def _spread_after(spread, ratio, rate_per_s, t_s):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.spread_after`."""
    above = _above(ratio)
    grown = math.exp(min(2.0 * rate_per_s * above * t_s, 50.0)) * (spread + 1.0 / above) - 1.0 / above
    return min(max(grown, 0.0), LARGEST_SPREAD)


@compiled(forceinline=True)
def _head_start_s(spread, ratio, rate_per_s):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.head_start_s`."""
    above = _above(ratio)
    growth = (spread * above + 1.0) / (above + 1.0)
    return math.log(growth) / (2.0 * rate_per_s * above) if growth > 0.0 else math.inf


@compiled(forceinline=True)
def _lag_of(probability):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.lag_of`."""
    return -1.0 / math.log(min(max(probability, FLOOR), 1.0 - LEAST_DEPTH))


@compiled(forceinline=True)
def _depth_at(depth, lag_before, lag_now):  # type: ignore[no-untyped-def]
    """Scalar `junction.memory.depth_at`."""
    return 1.0 / max(1.0 / max(depth, LEAST_DEPTH) + lag_now - lag_before, LEAST_DEPTH)


@compiled(forceinline=True)
def _with_noise(rng, squared, noise):  # type: ignore[no-untyped-def]
    """Return a squared angle with noise in both components, `noise` its mean square."""
    sigma = math.sqrt(max(noise, 0.0) / 2.0)
    along, across = sigma * rng.standard_normal(), sigma * rng.standard_normal()
    return (math.sqrt(max(squared, 0.0)) + along) ** 2 + across**2


@compiled(forceinline=True)
def _energy_kt(junction, mz):  # type: ignore[no-untyped-def]
    """Return the energy above the well's bottom."""
    return junction.stability_kt * (1.0 - mz * mz + 2.0 * junction.saddle * (mz - junction.out))


@compiled()
def _followed(junction, mz, v_v, r_ohm, t_s):  # type: ignore[no-untyped-def]
    """Return m_z after `t_s`, which may be negative, or beyond the saddle as soon as it has crossed it.

    As `junction.turning.turn`, for one nominal junction at `v_v` in its state.
    """
    g_p, g_ap = junction.g_s, _conductance_s(junction.g_s, junction.tmr, v_v / junction.v_h_v)
    mean_s, slope_s = (g_p + g_ap) / 2.0, (g_p - g_ap) / 2.0
    source_v = v_v * (1.0 + r_ohm * (mean_s + slope_s * junction.out))
    steps = max(1, math.ceil(abs(t_s) / (junction.tau_d_s * _STEP_TAU_D)))
    step = t_s / junction.tau_d_s / steps
    for _ in range(steps):
        middle = mz + 0.5 * step * _velocity(junction, mz, mean_s, slope_s, source_v, r_ohm)
        mz = min(max(mz + step * _velocity(junction, middle, mean_s, slope_s, source_v, r_ohm), -1.0), 1.0)
        if t_s > 0.0 and (mz - junction.saddle) * junction.out < 0.0:
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

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
from mtjspice.surrogate.large_lines import bias_weight
from mtjspice.switching.cell_kernels import lookup, time_to

_SAME_V = 0.04
"""Voltages that differ by less are one segment, at their mean in time."""
_RISE_V = 0.002
"""A rise by less is one of accuracy."""
_LEVELS = 3
"""Of rows, and"""
_COLUMNS = 8
"""columns by the mean field, for which it is found by how much junctions may be late."""
_ALIKE = 0.01
"""Of a junction's current: others are followed one by one."""
_STEP_TAU_D = 0.1
"""Of the midpoint rule for m_z."""
_MARGIN = 2.0
"""Of the bound by a single pulse, because voltages grow and fall in steps."""
_NEXT = np.uint64(1)
_ONE, _TWO = np.float32(1), np.float32(2)
_SPARSE = 1e-3
"""Probability up to which cells in floating rows are gone through at one bound for all."""
_DENSE = 0.15
"""Probability from which on trying every cell costs less than logarithms."""
_ITERATIONS = 8
"""Of a junction's voltage behind a select resistance that is a tenth of its own."""


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
    low_s: Any
    """float32, in the present state at no voltage."""
    rise_s: Any
    """float32, by what it has more at v_h."""


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


def bias_parts(g_s: np.ndarray, own_tmr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `CellArrays.low_s` and `rise_s`, of any shape."""
    low_s = g_s / (1 + own_tmr)
    return low_s, 2 * g_s / (2 + own_tmr) - low_s


@compiled()
def set_state(cells, state):  # type: ignore[no-untyped-def]
    """Put cells into given states, (rows, columns)."""
    height, width = state.shape
    for i in range(height):
        for j in range(width):
            if cells.state[j, i] != state[i, j]:
                _turn_over(cells, i, j)


@compiled()
def flip(cells, places):  # type: ignore[no-untyped-def]
    """Change the states of the cells at `places`, (n, at least 2) row and column."""
    for n in range(len(places)):
        _turn_over(cells, places[n, 0], places[n, 1])


@compiled()
def _turn_over(cells, i, j):  # type: ignore[no-untyped-def]
    cells.state[j, i] = 1 - cells.state[j, i]
    g_s, tmr = cells.g_s[j, i], np.float32(0) if cells.state[j, i] else cells.tmr[j, i]
    cells.own_tmr[j, i] = tmr
    cells.low_s[j, i] = g_s / (_ONE + tmr)
    cells.rise_s[j, i] = _TWO * g_s / (_TWO + tmr) - cells.low_s[j, i]


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
def _scale(p):  # type: ignore[no-untyped-def]
    """Return what `_jump` takes for cells that are candidates with probability p."""
    return 1.0 / math.log1p(-p) if p < _DENSE else 0.0


@compiled(forceinline=True)
def _jump(rng, p, scale):  # type: ignore[no-untyped-def]
    """Return how many cells to go to the next candidate, at least 1."""
    if scale < 0.0:
        return 1 + int(min(math.log(1.0 - rng.random()) * scale, 1e9))
    n = 1
    while rng.random() > p:
        n += 1
    return n


@compiled(forceinline=True)
def _within(tables, v_v):  # type: ignore[no-untyped-def]
    """Return the voltage, or the surface's highest, at which every pulse switches (`require_sure`)."""
    return min(v_v, tables.voltage.knots[-1])


@compiled()
def _bound(tables, junction, v_v, t_s, r_ohm):  # type: ignore[no-untyped-def]
    """Return a probability that no cell passes."""
    return lookup(tables, _within(tables, v_v * junction.excess), t_s, r_ohm * junction.excess)


@compiled(forceinline=True)
def _locate(knots, value):  # type: ignore[no-untyped-def]
    """Return the interval of a value between increasing knots, and where in it the value lies, 0 to 1."""
    n = min(max(np.searchsorted(knots, value, side="right") - 1, 0), knots.size - 2)
    return np.uint64(n), min((value - knots[n]) / (knots[n + 1] - knots[n]), 1.0)


@compiled()
def _widths(tables, t_s):  # type: ignore[no-untyped-def]
    """Return where pulse widths, (n,) s, lie in the tables: intervals, and shares of them."""
    knots, shares = np.empty(t_s.size, np.uint64), np.empty(t_s.size)
    for n in range(t_s.size):
        knots[n], shares[n] = _locate(tables.width.knots, t_s[n])
    return knots, shares


@compiled()
def _links_at(tables, v_v):  # type: ignore[no-untyped-def]
    """Return the tables' links, (widths,), at a voltage with nothing in series."""
    n, share = _locate(tables.voltage.knots, _within(tables, v_v))
    low, high = tables.links[0, n], tables.links[0, n + _NEXT]
    return low + share * (high - low)


@compiled()
def selected_flips(rng, tables, junction, cells, phase, with_energy):  # type: ignore[no-untyped-def]
    """Flip cells while they are selected; return their energy, first power, which flipped, and which may later.

    Args:
        rng: draws.
        tables: of the direction's `CellSurface`.
        junction: as it leaves the direction's initial state. Rows that drive out of the other one do not count.
        cells: changed in place.
        phase: levels and times.
        with_energy: whether to find energy and power; otherwise they are 0.

    Returns:
        J; W; (n, 3) row, column and 0 of those that have flipped; (n, 3) candidates that have not, and (n,) their u,
        complete for the whole phase.
    """
    flips, places, drawn = [(0, 0)], [(0, 0)], [0.0]
    flips.clear()
    places.clear()
    drawn.clear()
    energy_j, power_w = 0.0, 0.0
    state, out, v_h_v, r_ohm = junction.state, junction.out, junction.v_h_v, phase.r_ohm
    selected = np.flatnonzero(phase.on_s > 0)
    knots, shares = _widths(tables, phase.on_s)
    no_links = np.zeros(tables.width.knots.size)
    per_low, per_rise = np.zeros(phase.level_v.size, np.float32), np.zeros(phase.level_v.size, np.float32)
    # Of the other lines' voltages.
    farthest_v = max((-out * phase.level_v).max(), 0.0) if r_ohm == 0.0 else 0.0
    for i in range(phase.level_v.size):
        level_v, source_v = phase.level_v[i], phase.source_v[i]
        if out * level_v <= 0.0:
            continue
        # What is at the other end of the select resistance.
        behind_v = level_v * (1.0 + r_ohm * _nominal_s(junction, level_v))
        if with_energy and r_ohm > 0.0:
            for j in selected:
                g_s, tmr = float(cells.g_s[j, i]), float(cells.own_tmr[j, i])
                v = _behind(g_s, tmr, v_h_v, behind_v, r_ohm)
                own_w = source_v * v * _conductance_s(g_s, tmr, v / v_h_v)
                power_w += own_w
                energy_j += own_w * phase.on_s[j]
        elif with_energy:
            # As `large_lines` has it, without a division for every cell.
            per_low[i] = source_v * level_v
            per_rise[i] = per_low[i] * bias_weight(junction.tmr, level_v / v_h_v)
        bound = _bound(tables, junction, out * level_v + farthest_v, phase.duration_s, r_ohm)
        if bound <= FLOOR:
            continue
        links = _links_at(tables, out * level_v) if r_ohm == 0.0 else no_links
        scale = _scale(bound)
        k = _jump(rng, bound, scale) - 1
        while k < selected.size:
            j, u = selected[k], bound * (1.0 - rng.random())
            k += _jump(rng, bound, scale)
            if cells.state[j, i] != state or not cells.switches[j, i]:
                continue
            ratio = 1.0
            if r_ohm > 0.0 or not _nominal(junction, cells, i, j):
                g_s, own_tmr = float(cells.g_s[j, i]), 0.0 if state else float(cells.tmr[j, i])
                v = _behind(g_s, own_tmr, v_h_v, behind_v, r_ohm)
                # The nominal junction carries the cell's current at a voltage in the ratio of the conductances.
                ratio = _conductance_s(g_s, own_tmr, v / v_h_v) / _nominal_s(junction, v)
                p = lookup(tables, _within(tables, out * v * ratio), phase.on_s[j], r_ohm * ratio)
            else:
                knot = knots[j]
                p = math.exp(-math.exp(-(links[knot] + shares[j] * (links[knot + _NEXT] - links[knot]))))
            if u > p:
                places.append((i, j))
                drawn.append(u)
                continue
            flips.append((i, j))
            if with_energy:
                g_s, tmr = float(cells.g_s[j, i]), float(cells.tmr[j, i])
                own_tmr, other_tmr = (0.0, tmr) if state else (tmr, 0.0)
                own_v = _behind(g_s, own_tmr, v_h_v, behind_v, r_ohm)
                other_v = _behind(g_s, other_tmr, v_h_v, behind_v, r_ohm)
                left_s = phase.on_s[j] - time_to(tables, _within(tables, out * own_v * ratio), u, r_ohm * ratio)
                more_a = other_v * _conductance_s(g_s, other_tmr, other_v / v_h_v)
                more_a -= own_v * _conductance_s(g_s, own_tmr, own_v / v_h_v)
                energy_j += source_v * more_a * left_s
    if with_energy and r_ohm == 0.0:
        for j in selected:
            own_w = np.dot(cells.low_s[j], per_low) + np.dot(cells.rise_s[j], per_rise)
            power_w += own_w
            energy_j += own_w * phase.on_s[j]
    flipped = _places(flips, 0)
    flip(cells, flipped)
    return energy_j, power_w, flipped, _places(places, 0), np.array(drawn)


@compiled(forceinline=True)
def _nominal(junction, cells, i, j):  # type: ignore[no-untyped-def]
    """Return whether a cell is in its state like the nominal junction."""
    if cells.g_s[j, i] != np.float32(junction.g_s):
        return False
    return junction.state == 1 or cells.tmr[j, i] == np.float32(junction.tmr)


@compiled()
def _places(places, unwanted):  # type: ignore[no-untyped-def]
    found = np.empty((len(places), 3), np.int64)
    for n in range(len(places)):
        found[n, 0], found[n, 1] = places[n]
        found[n, 2] = unwanted
    return found


@compiled()
def false_flips(rng, tables, junction, cells, phase, lines, starts_s, places, drawn, mean_field):  # type: ignore[no-untyped-def]
    """Return the cells, (n, 3) row, column and 1, that flip though not selected, or no longer; none is changed.

    Args:
        rng: draws.
        tables: of the direction's `CellSurface`.
        junction: as it leaves the direction's initial state.
        cells: with the states after `selected_flips`.
        phase: levels and times.
        lines: `large_lines.Lines`.
        starts_s: (events + 1,) the events, and the phase's end.
        places: (n, 3) candidates that `selected_flips` left.
        drawn: (n,) theirs.
        mean_field: whether `lines` are by it.
    """
    state, out, per_v_h = junction.state, junction.out, 1.0 / junction.v_h_v
    per_critical = out / junction.critical_a
    events = starts_s.size - 1
    v_v, ratio = np.empty(events), np.empty(events)
    more = [(0, 0, 0.0)]
    more.clear()
    late = [(0, 0)]
    late.clear()
    _late_flips(tables, junction, cells, phase, lines, starts_s, places, drawn, mean_field, late, more)
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
        column_v, level_v = lines.column_v[j], phase.level_v[i]
        for k in range(events):
            v_v[k] = level_v - column_v[k]
        if row_floats:
            for k in range(events):
                v_v[k] += lines.row_v[k, i]
        for k in range(events):
            ratio[k] = per_critical * v_v[k] * _conductance_s(g_s, tmr, v_v[k] * per_v_h)
        rises = 0
        for k in range(1, events):
            if out * (v_v[k] - v_v[k - 1]) > _RISE_V:
                rises = k
        row_ohm, column_ohm = lines.row_ohm[i], lines.column_ohm[j]
        if _walk(rng, tables, junction, g_s, tmr, v_v, ratio, starts_s, held, rises, row_ohm, column_ohm, u):
            flips.append((i, j))
    for place in late:
        flips.append(place)
    return _places(flips, 1)


@compiled()
def _late_flips(  # type: ignore[no-untyped-def]
    tables, junction, cells, phase, lines, starts_s, places, drawn, mean_field, flips, more
):
    """Append candidates of `selected_flips` that flip after their column has switched off; to `more` if in doubt."""
    if drawn.size == 0:
        return
    out, on_s = junction.out, phase.on_s
    lowest_v, highest_v = math.inf, 0.0
    for v in out * phase.level_v:
        if v > 0.0:
            lowest_v, highest_v = min(lowest_v, v), max(highest_v, v)
    step_v = max(highest_v - lowest_v, 1e-6) / (_LEVELS - 1)
    ended = np.flatnonzero((on_s > 0.0) & (on_s < starts_s[-1] * (1.0 - 1e-12)))
    ended = ended[np.argsort(on_s[ended])]
    late_s = np.zeros((on_s.size, _LEVELS))
    every = max(1, ended.size // _COLUMNS) if mean_field else 1
    held, before = 0, 0
    for n in range(0, ended.size + every - 1, every):
        n = min(n, ended.size - 1)
        j = ended[n]
        while starts_s[held] < on_s[j] * (1.0 - 1e-12):
            held += 1
        for m in range(_LEVELS):
            level_v = out * (lowest_v + m * step_v)
            late_s[j, m] = _late_s(junction, level_v, lines.column_v[j], starts_s, held, lines.column_ohm[j])
        for between in range(before + 1, n):
            share = (on_s[ended[between]] - on_s[ended[before]]) / (on_s[j] - on_s[ended[before]])
            late_s[ended[between]] = (1.0 - share) * late_s[ended[before]] + share * late_s[j]
        before = n
    for n in range(drawn.size):
        i, j, u = places[n, 0], places[n, 1], drawn[n]
        v = phase.level_v[i]
        g_s, tmr = float(cells.g_s[j, i]), 0.0 if junction.state else float(cells.tmr[j, i])
        ratio = 1.0
        if not _nominal(junction, cells, i, j):
            ratio = _conductance_s(g_s, tmr, v / junction.v_h_v) / _nominal_s(junction, v)
        at = (out * v - lowest_v) / step_v
        rise_s, fall_s = late_s[j, 1] - late_s[j, 0], late_s[j, 2] - late_s[j, 1]
        later_s = late_s[j, 0] + at * (rise_s + 0.5 * (at - 1.0) * (fall_s - rise_s))
        if math.isnan(later_s) or abs(ratio - 1.0) > _ALIKE:
            more.append((i, j, u))
        elif u <= lookup(tables, _within(tables, out * v * ratio), on_s[j] + later_s, 0.0):
            flips.append((i, j))


@compiled()
def _late_s(junction, level_v, column_v, starts_s, held, column_ohm):  # type: ignore[no-untyped-def]
    """Return how late, had its column stayed selected, a nominal junction may cross the saddle and still does.

    NaN if it is then so near its pole that noise matters. What `_walk` follows forwards for one junction goes backwards
    here, from the saddle at the phase's end.

    Args:
        junction: of the direction.
        level_v: its row's.
        column_v: (events,) its column's.
        starts_s: (events + 1,).
        held: the event at which its column begins to float.
        column_ohm: in series from then on.
    """
    out, saddle, events = junction.out, junction.saddle, column_v.size
    mz, k = saddle, events
    while k > held:
        # As in `_walk`, but from the end.
        end, sum_vs = k, 0.0
        while k > held and abs(column_v[k - 1] - column_v[end - 1]) <= _SAME_V:
            k -= 1
            sum_vs += (level_v - column_v[k]) * (starts_s[k + 1] - starts_s[k])
        t_s = starts_s[end] - starts_s[k]
        mz = _followed(junction, mz, sum_vs / t_s, column_ohm, -t_s)
        if (mz - saddle) * out < 0.0:
            mz = saddle
    if _energy_kt(junction, mz) < FAR_KT:
        return math.nan
    later_s, step_s = 0.0, junction.tau_d_s * _STEP_TAU_D
    while (mz - saddle) * out > 0.0:
        before = mz
        mz = _followed(junction, mz, level_v, 0.0, step_s)
        if (mz - saddle) * out > 0.0:
            later_s += step_s
        else:
            later_s += step_s * (before - saddle) / (before - mz)
        if later_s > SOON_TAU_D * junction.tau_d_s:
            return math.nan
    return later_s


@compiled()
def _driven_candidates(rng, tables, junction, phase, lines, more):  # type: ignore[no-untyped-def]
    """Append candidates in driven rows: in columns never selected, or in all if the row drives into the state."""
    out = junction.out
    never, every = np.flatnonzero(phase.on_s == 0), np.arange(phase.on_s.size)
    never_v, every_v = 0.0, 0.0
    for j in every:
        highest_v = _farthest(lines.column_v[j], -out)
        every_v = highest_v if j == 0 else max(every_v, highest_v)
    for k, j in enumerate(never):
        highest_v = _farthest(lines.column_v[j], -out)
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
        scale = _scale(bound)
        k = _jump(rng, bound, scale) - 1
        while k < columns.size:
            more.append((i, columns[k], bound * (1.0 - rng.random())))
            k += _jump(rng, bound, scale)


@compiled(forceinline=True)
def _farthest(v_v, sign):  # type: ignore[no-untyped-def]
    """Return the largest of voltages in one direction."""
    found = sign * v_v[0]
    for v in v_v:
        found = max(found, sign * v)
    return found


@compiled()
def _floating_candidates(rng, tables, junction, phase, lines, starts_s, v_v, ratio, more):  # type: ignore[no-untyped-def]
    """Append candidates in floating rows."""
    floating = np.flatnonzero(phase.row_floats)
    if floating.size == 0:
        return
    out, events = junction.out, v_v.size
    highest_v, lowest_v = np.empty(events), np.empty(events)
    for k in range(events):
        highest_v[k] = max(out * lines.rows_v[k, 0], out * lines.rows_v[k, 1])
        lowest_v[k] = out * lines.column_v[0, k]
    for j in range(phase.on_s.size):
        column_v = lines.column_v[j]
        for k in range(events):
            lowest_v[k] = min(lowest_v[k], out * column_v[k])
    most = _floating_bound(tables, junction, highest_v - lowest_v, starts_s, ratio)
    if most <= FLOOR:
        return
    if most < _SPARSE:
        # Over all columns at once.
        scale = _scale(most)
        place = _jump(rng, most, scale) - 1
        while place < floating.size * phase.on_s.size:
            more.append((floating[place % floating.size], place // floating.size, most * (1.0 - rng.random())))
            place += _jump(rng, most, scale)
        return
    for j in range(phase.on_s.size):
        bound = _floating_bound(tables, junction, highest_v - out * lines.column_v[j], starts_s, ratio)
        if bound <= FLOOR:
            continue
        scale = _scale(bound)
        k = _jump(rng, bound, scale) - 1
        while k < floating.size:
            more.append((floating[k], j, bound * (1.0 - rng.random())))
            k += _jump(rng, bound, scale)


@compiled()
def _floating_bound(tables, junction, v_v, starts_s, ratio):  # type: ignore[no-untyped-def]
    """Return a bound of the probability that voltages, (events,) V out of the state, do drive out of it."""
    for k in range(ratio.size):
        ratio[k] = v_v[k] * junction.excess * _nominal_s(junction, v_v[k]) / junction.critical_a
    return _single_pulse(tables, junction, v_v, ratio, starts_s)[0]


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
    p = lookup(tables, _within(tables, volts), head_s + starts_s[last + 1] - starts_s[first], 0.0)
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
        volts = _within(tables, out * v * scale)
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

"""A 1T1R array with ideal lines, as compiled kernels read and write it: the fast path of training.

It is what `large_write` is for 1T1R, one column at a time: every selected cell switches on its own, with the calibrated
surface's probability at the voltage that it sees behind its select transistor, and no other cell sees any. Wires are
left out. Few cells flip in a write, so that a random number is drawn only where a flip is possible: a column has a
bound that no ordinary cell passes, and jumps of a geometric distribution lead from candidate to candidate (thinning).
Cells that carry much more current than others, the strong ones, are looked at one by one, so as not to spoil the bound.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.model import ArrayModel
from mtjspice.switching.cell_kernels import Tables, lookup

_LEVELS, _WIDTHS = 513, 129
"""Of the nominal cell's table, linear in between: within 2e-5 of the surface."""
_STRONG_SHARE = 0.05
"""Of a direction's cells; they cost one random number for each write, the others get a closer bound."""
_ITERATIONS = 4
"""Of a junction's voltage behind a select resistance that is a tenth of its own."""
_LEAST_BOUND = 1e-12
_MARGIN = 1.01
"""Of an ordinary cell's largest current: voltages divide a little differently with every resistance."""


class WriteDevice(NamedTuple):
    """What all 1T1R cells of a model share. Pairs are by the state that is left: AP (0), P (1)."""

    tables: tuple[Tables, Tables]
    source_v: Any
    """(2, levels) magnitudes at the far end of the select resistance, at equally spaced |x| from 0 to 1."""
    probability: Any
    """(2, levels, widths) of a nominal cell, at equally spaced |x| and |delta|."""
    g_s: float
    """Of a nominal junction in P."""
    tmr0: float
    v_h_v: float
    r_ohm: float
    """Select resistance."""
    t0_s: float
    t1_s: float


class IdealArray(NamedTuple):
    """Cells; (columns, rows) unless stated otherwise, for writes go along columns."""

    state: Any
    """uint8, 1 parallel, 0 antiparallel; changed by writes."""
    weight: Any
    """(rows, columns) float32 what a read sees, +1 and -1 for nominal cells; changed by writes."""
    weight_of: Any
    """(2, columns, rows) float32 the weight in either state."""
    switches: Any
    """bool, cells that can be written."""
    g_s: Any
    """float32, in P."""
    tmr0: Any
    """float32."""
    varies: bool
    """Whether any cell differs from the nominal one."""
    excess: Any
    """(2,) the largest current of an ordinary cell, relative to the nominal one's."""
    strong: Any
    """(2, columns, rows) bool."""
    strong_start: Any
    """(2, columns + 1) where a column's strong rows begin in `strong_rows`."""
    strong_rows: Any
    """(2, most) int64."""


def write_device(model: ArrayModel) -> WriteDevice:
    """Return what the kernels need of a 1T1R model; takes some milliseconds."""
    levels, widths = np.linspace(0, 1, _LEVELS), np.linspace(0, 1, _WIDTHS)
    parameters, drive = model.parameters, model.drive
    directions = (Direction.AP_TO_P, Direction.P_TO_AP)
    r_ohm, g_s = model.select_ohm, 1 / parameters.r_p_ohm
    source_v, probability = np.empty((2, _LEVELS)), np.empty((2, _LEVELS, _WIDTHS))
    for state, direction in enumerate(directions):
        coefficients = drive.coefficients[direction]
        junction_v = coefficients.voltage_v(levels)
        source_v[state] = junction_v + r_ohm * coefficients.current_a(levels)
        width_s = drive.t0_s + drive.t1_s * widths
        probability[state] = model.surfaces[direction].at(junction_v[:, None], width_s[None, :], r_ohm)
    return WriteDevice(
        tables=(model.surfaces[directions[0]].tables, model.surfaces[directions[1]].tables),
        source_v=source_v,
        probability=probability,
        g_s=g_s,
        tmr0=parameters.tmr0,
        v_h_v=parameters.v_h_v,
        r_ohm=r_ohm,
        t0_s=drive.t0_s,
        t1_s=drive.t1_s,
    )


def ideal_array(model: ArrayModel, device: WriteDevice, cells: Cells) -> IdealArray:
    """Return `cells` for the kernels."""
    g_p, g_ap = model.cell_conductances_s
    row_count, column_count = cells.state.shape
    weight_of = np.empty((2, column_count, row_count), np.float32)
    ratio = np.empty((2, column_count, row_count))
    for state in (0, 1):
        alike = cells.with_state(np.full(cells.state.shape, state))
        own_s, _ = alike.conductance_s(np.full(cells.state.shape, model.array.read.v_read_v))
        in_series_ohm = 1 / g_p - model.parameters.r_p_ohm
        g_s = own_s / (1 + in_series_ohm * own_s)
        weight_of[state] = ((g_s - model.reference_s) / ((g_p - g_ap) / 2)).T
        # Between the lowest and the highest level the ratio of two currents is monotone.
        nominal = Cells.nominal(model.parameters, alike.state, cells.r_short_ohm)
        ends_v = [v / (1 + device.r_ohm * own_s) for v in device.source_v[state, [0, -1]]]
        ratio[state] = np.max([alike.conductance_s(v)[0] / nominal.conductance_s(v)[0] for v in ends_v], axis=0).T
    switches = np.ascontiguousarray(cells.switches.T)
    varies = not np.allclose(ratio[:, switches], 1, atol=1e-9)
    excess = np.ones(2)
    strong = np.zeros(ratio.shape, bool)
    if varies:
        excess = np.quantile(ratio[:, switches], 1 - _STRONG_SHARE, axis=1)
        strong = (ratio > excess[:, None, None]) & switches
        excess = _MARGIN * excess
    start = np.zeros((2, column_count + 1), np.int64)
    start[:, 1:] = np.cumsum(strong.sum(axis=2), axis=1)
    rows = np.zeros((2, max(1, int(start[:, -1].max()))), np.int64)
    for k in (0, 1):
        rows[k, : start[k, -1]] = np.argwhere(strong[k])[:, 1]
    states = np.array(cells.state.T, dtype=np.uint8, order="C")
    weight = np.where(states == 1, weight_of[1], weight_of[0])
    return IdealArray(
        state=states,
        weight=np.ascontiguousarray(weight.T),
        weight_of=weight_of,
        switches=switches,
        g_s=np.ascontiguousarray((1 / cells.r_p_ohm).T, dtype=np.float32),
        tmr0=np.ascontiguousarray(cells.tmr0.T, dtype=np.float32),
        varies=varies,
        excess=excess,
        strong=strong,
        strong_start=start,
        strong_rows=rows,
    )


@compiled(forceinline=True)
def _at_level(values, x_abs):  # type: ignore[no-untyped-def]
    position = x_abs * (values.shape[0] - 1)
    k = min(int(position), values.shape[0] - 2)
    return values[k] + (position - k) * (values[k + 1] - values[k])


@compiled(forceinline=True)
def _nominal_probability(device, state, x_abs, d_abs):  # type: ignore[no-untyped-def]
    table = device.probability[state]
    position = d_abs * (table.shape[1] - 1)
    k = min(int(position), table.shape[1] - 2)
    low, high = _at_level(table[:, k], x_abs), _at_level(table[:, k + 1], x_abs)
    return low + (position - k) * (high - low)


@compiled(forceinline=True)
def _conductance_s(g_s, tmr, v_v, v_h_v):  # type: ignore[no-untyped-def]
    return g_s / (1.0 + tmr / (1.0 + (v_v / v_h_v) ** 2))


@compiled()
def cell_probability(device, g_s, tmr0, state, source_v, t_s):  # type: ignore[no-untyped-def]
    """Return P that a cell leaves `state`, driven out of it by `source_v` behind its transistor for `t_s`.

    A junction of another resistance switches as the nominal one that carries its current does (`surrogate.history`).
    Past the surface's voltages its highest counts, at which nearly every pulse switches.
    """
    tmr, nominal_tmr = (0.0, 0.0) if state else (tmr0, device.tmr0)
    v = source_v / (1.0 + device.r_ohm * _conductance_s(g_s, tmr, source_v, device.v_h_v))
    for _ in range(_ITERATIONS):
        v = source_v / (1.0 + device.r_ohm * _conductance_s(g_s, tmr, v, device.v_h_v))
    own_s = _conductance_s(g_s, tmr, v, device.v_h_v)
    ratio = own_s / _conductance_s(device.g_s, nominal_tmr, v, device.v_h_v)
    tables = device.tables[state]
    return lookup(tables, min(v * ratio, tables.voltage.knots[-1]), t_s, device.r_ohm * ratio)


@compiled(forceinline=True)
def _jump(rng, log_miss):  # type: ignore[no-untyped-def]
    """Return how many cells to go to the next candidate, at least 1, where log_miss = log(1 - bound)."""
    return 1 + int(min(math.log(1.0 - rng.random()) / log_miss, 1e9))


@compiled(forceinline=True)
def change(array, i, j):  # type: ignore[no-untyped-def]
    state = 1 - array.state[j, i]
    array.state[j, i] = state
    array.weight[i, j] = array.weight_of[state, j, i]


@compiled(forceinline=True)
def _flips(rng, device, array, i, j, state, x_abs, d_abs, t_s, eta, below):  # type: ignore[no-untyped-def]
    """Flip cell (i, j) with its probability, given that it is a candidate with probability `below`; return 0 or 1."""
    if array.state[j, i] != state or not array.switches[j, i]:
        return 0
    if eta > 0.0:
        p = min(eta * x_abs * d_abs, 1.0)
    elif array.varies:
        source_v = _at_level(device.source_v[state], x_abs)
        p = cell_probability(device, float(array.g_s[j, i]), float(array.tmr0[j, i]), state, source_v, t_s)
    else:
        p = _nominal_probability(device, state, x_abs, d_abs)
    if rng.random() * below >= p:
        return 0
    change(array, i, j)
    return 1


@compiled()
def write_column(rng, device, array, j, rows, x, d_abs, state, eta):  # type: ignore[no-untyped-def]
    """Drive cells of one column out of `state`, and return how many left it.

    Args:
        rng: draws.
        device: of the model.
        array: changed in place.
        j: the column.
        rows: (n,) rows that are driven, all with x of one sign.
        x: (rows,) of all rows, -1 to 1; |x| sets a row's level (eq. 7).
        d_abs: |delta| of the column, which sets the pulse width (eq. 6); 0 to 1.
        state: that is left.
        eta: 0 for the junctions' own probability. Above it, the one that is aimed at, eta |x| |delta| (eq. 2).
    """
    count = rows.size
    if count == 0:
        return 0
    x_max, sign = 0.0, 1.0 if x[rows[0]] > 0.0 else -1.0
    for k in range(count):
        x_max = max(x_max, sign * x[rows[k]])
    t_s = device.t0_s + device.t1_s * d_abs
    if eta > 0.0:
        bound = min(eta * x_max * d_abs, 1.0)
    elif array.varies:
        top_v = _at_level(device.source_v[state], x_max)
        g_s = device.g_s * array.excess[state]
        bound = cell_probability(device, g_s, device.tmr0, state, top_v, t_s)
    else:
        bound = _nominal_probability(device, state, x_max, d_abs)
    flips = 0
    if bound > _LEAST_BOUND:
        log_miss = math.log1p(-bound) if bound < 1.0 else -math.inf
        k = _jump(rng, log_miss) - 1
        while k < count:
            i = rows[k]
            if eta > 0.0 or not array.strong[state, j, i]:
                flips += _flips(rng, device, array, i, j, state, sign * x[i], d_abs, t_s, eta, bound)
            k += _jump(rng, log_miss)
    if array.varies and eta == 0.0:
        for k in range(array.strong_start[state, j], array.strong_start[state, j + 1]):
            i = array.strong_rows[state, k]
            if sign * x[i] > 0.0:
                flips += _flips(rng, device, array, i, j, state, sign * x[i], d_abs, t_s, eta, 1.0)
    return flips

"""A 1T1R array with ideal lines, as compiled kernels read and write it: the fast path of training.

It is what `large_write` is for 1T1R, one column at a time: every selected cell switches on its own, with the calibrated
surface's probability at the voltage that it sees behind its select transistor, and no other cell sees any. Wires are
left out.

Few cells flip in a write, so that a random number is drawn only where a flip is possible. A cell that flips with
probability P does so as if events of a Poisson process came at a rate of -log(1 - P) while it is passed. Rows come in
order of falling |x|, which gives a rate that no ordinary cell further on passes: an exponential jump leads to the next
event at that rate, and the cell found there keeps it with the ratio of the rates (thinning). Cells that carry much more
current than others, the strong ones, are looked at one by one, so as not to spoil the bound.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.behind_select import junction_v, select_source_v
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.weights import read_weights

BINS = 32
"""Of |x|, by which rows are ordered."""
_LEVELS, _WIDTHS = 257, 65
"""Of the nominal cell's table, linear in between: probabilities within 1e-4 of the surface."""
_COARSE_LEVELS, _COARSE_WIDTHS, _RATIOS = 65, 33, 89
"""Of the table for cells that vary: within 1e-3."""
LEAST_RATIO, LARGEST_RATIO = 0.4, 2.6
"""Of a cell's current to a nominal one's; beyond them they count as these."""
_STRONG_SHARE = 0.15
"""Of a direction's cells; they cost a look for each write, the others get a closer bound."""
_CERTAIN = 1 - 2.0**-24
"""Probabilities end here, so that rates are finite."""
_LEAST_RATE = 1e-12


class WriteDevice(NamedTuple):
    """What all 1T1R cells of a model share. Pairs are by the state that is left: AP (0), P (1)."""

    source_v: Any
    """(2, levels) magnitudes at the far end of the select resistance, at equally spaced |x| from 0 to 1."""
    root: Any
    """(2, levels, widths) float32 fourth root of a nominal cell's rate, at equally spaced |x| and |delta|."""
    roots: Any
    """(2, ratios, levels, widths) float32 the same of other cells, at equally spaced ratios of currents."""
    bend: Any
    """(2,) by how much what a cell's resistance has beyond a nominal one's is not linear in |x|."""


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
    resistance: Any
    """(2, columns, rows, 2) float32 of a cell that leaves a state, in units of a nominal one's at the same voltage, at
    |x| = 0 and 1."""
    least: Any
    """(2,) float32 the least such resistance of an ordinary cell."""
    strong_start: Any
    """(2, columns + 1) where a column's strong rows begin in `strong_rows`."""
    strong_rows: Any
    """(2, most) int64."""


def write_device(model: ArrayModel) -> WriteDevice:
    """Return what the kernels need of a 1T1R model; takes some milliseconds."""
    levels, ratios = np.linspace(0, 1, _LEVELS), np.linspace(LEAST_RATIO, LARGEST_RATIO, _RATIOS)
    source_v = np.empty((2, _LEVELS))
    root = np.empty((2, _LEVELS, _WIDTHS), np.float32)
    roots = np.empty((2, _RATIOS, _COARSE_LEVELS, _COARSE_WIDTHS), np.float32)
    for state, direction in enumerate((Direction.AP_TO_P, Direction.P_TO_AP)):
        source_v[state] = select_source_v(model, direction, levels)
        root[state] = _root(model, direction, source_v[state], np.ones(1), _WIDTHS)[0]
        coarse_v = np.interp(np.linspace(0, 1, _COARSE_LEVELS), levels, source_v[state])
        roots[state] = _root(model, direction, coarse_v, ratios, _COARSE_WIDTHS)
    return WriteDevice(source_v, root, roots, bend=np.array([_bend(model, source_v[0]), 0.0]))


def _root(model: ArrayModel, direction: Direction, source_v: np.ndarray, ratios: np.ndarray, widths: int) -> np.ndarray:
    """Return the fourth root of rates, (ratios, levels, widths): nearly linear in all three.

    A junction of another resistance switches as the nominal one that carries its current does (`surrogate.history`).
    Past the surface's voltages its highest counts, at which nearly every pulse switches.
    """
    surface, drive = model.surfaces[direction], model.drive
    width_s = drive.t0_s + drive.t1_s * np.linspace(0, 1, widths)
    nominal = Cells.nominal(model.parameters, np.array([[(direction.initial_mz + 1) // 2]]), model.array.r_short_ohm)
    v = junction_v(source_v, model.select_ohm * ratios[:, None], nominal)
    at_v = np.minimum(v * ratios[:, None], surface.voltages_v[-1])
    p = surface.at(at_v[:, :, None], width_s, model.select_ohm * ratios[:, None, None])
    return (-np.log1p(-np.minimum(p, _CERTAIN))) ** 0.25


def _bend(model: ArrayModel, source_v: np.ndarray) -> float:
    """Return 4 (w - 1/2) at |x| = 1/2 of w = |x| + bend |x| (1 - |x|), in which a cell's resistance in AP is linear.

    With d of `Cells.conductance_s` a cell has (R_P/R_P0)(1 + (tmr - tmr0) u) times a nominal one's, u = d/(1 + tmr0 d).
    """
    parameters = model.parameters
    nominal = Cells.nominal(parameters, np.array([[0]]), model.array.r_short_ohm)
    ends_v = source_v[[0, len(source_v) // 2, -1]]
    v = junction_v(ends_v, model.select_ohm, nominal)[0]
    d = 1 / (1 + (v / parameters.v_h_v) ** 2)
    u = d / (1 + parameters.tmr0 * d)
    return float(4 * ((u[1] - u[0]) / (u[2] - u[0]) - 0.5))


def resistances(model: ArrayModel, device: WriteDevice, cells: Cells) -> np.ndarray:
    """Return what `IdealArray.resistance` holds, (2, columns, rows, 2) float32."""
    row_count, column_count = cells.state.shape
    resistance = np.ones((2, column_count, row_count, 2), np.float32)
    for state in (0, 1):
        alike = cells.with_state(np.full(cells.state.shape, state))
        nominal = Cells.nominal(model.parameters, alike.state, cells.r_short_ohm)
        for end in (0, -1):
            source_v = np.full(cells.state.shape, device.source_v[state, end])
            v = junction_v(source_v, model.select_ohm, alike)
            own_s = np.where(cells.switches, alike.conductance_s(v)[0], 1.0)  # open cells conduct nothing
            resistance[state, :, :, end] = (nominal.conductance_s(v)[0] / own_s).T
    resistance[:, ~cells.switches.T] = 1.0
    return resistance


def ideal_array(model: ArrayModel, device: WriteDevice, cells: Cells) -> IdealArray:
    """Return `cells` for the kernels."""
    column_count = cells.state.shape[1]
    weight_of = np.ascontiguousarray(read_weights(model, cells).transpose(0, 2, 1))
    switches = np.ascontiguousarray(cells.switches.T)
    resistance = resistances(model, device, cells)
    varies = not np.allclose(resistance[:, switches], 1, atol=1e-6)
    lowest = resistance.min(axis=3)
    least = np.quantile(lowest[:, switches], _STRONG_SHARE, axis=1).astype(np.float32)
    strong = (lowest < least[:, None, None]) & switches & varies
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
        resistance=resistance,
        least=least,
        strong_start=start,
        strong_rows=rows,
    )


@compiled(forceinline=True)
def bin_of(x_abs):  # type: ignore[no-untyped-def]
    """Return the bin of |x|; bin k ends at (k + 1)/BINS."""
    return min(int(x_abs * BINS), BINS - 1)


@compiled(forceinline=True)
def _place(share, knots):  # type: ignore[no-untyped-def]
    """Return the interval of equally spaced knots from 0 to 1 in which `share` lies, and where in it."""
    position = share * (knots - 1)
    k = min(int(position), knots - 2)
    return k, position - k


@compiled(forceinline=True)
def _bilinear(table, i, a, j, b):  # type: ignore[no-untyped-def]
    low = table[i, j] + b * (table[i, j + 1] - table[i, j])
    high = table[i + 1, j] + b * (table[i + 1, j + 1] - table[i + 1, j])
    return low + a * (high - low)


@compiled(forceinline=True)
def nominal_rate(device, state, x_abs, d_abs):  # type: ignore[no-untyped-def]
    """Return -log(1 - P) of a nominal cell that is driven out of `state`."""
    table = device.root[state]
    i, a = _place(x_abs, table.shape[0])
    j, b = _place(d_abs, table.shape[1])
    return _bilinear(table, i, a, j, b) ** 4


@compiled(forceinline=True)
def rate(device, state, ratio, x_abs, d_abs):  # type: ignore[no-untyped-def]
    """Return -log(1 - P) of a cell that carries `ratio` times a nominal one's current; it grows with all three."""
    table = device.roots[state]
    share = (ratio - LEAST_RATIO) / (LARGEST_RATIO - LEAST_RATIO)
    k, c = _place(min(max(share, 0.0), 1.0), table.shape[0])
    i, a = _place(x_abs, table.shape[1])
    j, b = _place(d_abs, table.shape[2])
    low, high = _bilinear(table[k], i, a, j, b), _bilinear(table[k + 1], i, a, j, b)
    return (low + c * (high - low)) ** 4


@compiled(forceinline=True)
def _ideal_rate(eta, x_abs, d_abs):  # type: ignore[no-untyped-def]
    return -math.log1p(-min(eta * x_abs * d_abs, _CERTAIN))


@compiled(forceinline=True)
def ratio_at(device, array, j, i, state, x_abs):  # type: ignore[no-untyped-def]
    """Return a cell's current in units of a nominal one's at the same voltage."""
    low, high = array.resistance[state, j, i, 0], array.resistance[state, j, i, 1]
    return 1.0 / (low + x_abs * (1.0 + device.bend[state] * (1.0 - x_abs)) * (high - low))


@compiled(forceinline=True)
def change(array, i, j):  # type: ignore[no-untyped-def]
    """Flip cell (i, j)."""
    state = 1 - array.state[j, i]
    array.state[j, i] = state
    # Nominal cells' weights are known without a look into memory.
    array.weight[i, j] = array.weight_of[state, j, i] if array.varies else np.float32(2 * state - 1)


# Inlined: a call with all of an array's fields takes as long as a column's write.
@compiled(forceinline=True)
def write_column(rng, device, array, j, rows, x, d_abs, state, eta):  # type: ignore[no-untyped-def]
    """Drive cells of one column out of `state`, and return how many left it.

    Args:
        rng: draws.
        device: of the model.
        array: changed in place.
        j: the column.
        rows: (n,) rows that are driven, by falling `bin_of` |x|: all with x of one sign and |x| above some level.
        x: (rows,) of all rows, -1 to 1; |x| sets a row's level (eq. 7).
        d_abs: |delta| of the column, which sets the pulse width (eq. 6); 0 to 1.
        state: that is left.
        eta: 0 for the junctions' own probability. Above it, the one that is aimed at, eta |x| |delta| (eq. 2).
    """
    count = rows.size
    if count == 0:
        return 0
    sign = 1.0 if x[rows[0]] > 0.0 else -1.0
    varies = array.varies and eta == 0.0
    at, flips, now, bound = 0.0, 0, BINS, 0.0
    i = rows[0]
    while True:
        if bin_of(sign * x[i]) != now:
            now = bin_of(sign * x[i])
            top = (now + 1) / BINS
            if eta > 0.0:
                bound = _ideal_rate(eta, top, d_abs)
            elif varies:
                bound = rate(device, state, 1.0 / array.least[state], top, d_abs)
            else:
                bound = nominal_rate(device, state, top, d_abs)
            if bound < _LEAST_RATE:
                break
        at += rng.standard_exponential() / bound
        if at >= count:
            break
        i = rows[int(at)]
        if array.state[j, i] != state:
            continue
        x_abs = sign * x[i]
        if eta > 0.0:
            own = _ideal_rate(eta, x_abs, d_abs)
        elif varies:
            if min(array.resistance[state, j, i, 0], array.resistance[state, j, i, 1]) < array.least[state]:
                continue
            own = rate(device, state, ratio_at(device, array, j, i, state, x_abs), x_abs, d_abs)
        else:
            own = nominal_rate(device, state, x_abs, d_abs)
        if rng.random() * bound < own and array.switches[j, i]:
            change(array, i, j)
            flips += 1
    if varies:
        last, least = count - 1, 1.0
        while last >= 0 and bin_of(sign * x[rows[last]]) == bin_of(sign * x[rows[count - 1]]):
            least = min(least, sign * x[rows[last]])
            last -= 1
        for k in range(array.strong_start[state, j], array.strong_start[state, j + 1]):
            i = array.strong_rows[state, k]
            x_abs = sign * x[i]
            if x_abs >= least and array.state[j, i] == state:
                own = rate(device, state, ratio_at(device, array, j, i, state, x_abs), x_abs, d_abs)
                if rng.standard_exponential() < own:
                    change(array, i, j)
                    flips += 1
    return flips

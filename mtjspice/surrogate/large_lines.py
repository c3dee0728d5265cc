"""Compiled kernel: the lines' voltages in one write phase of a large 1R array, solved anew whenever columns switch off.

Wires and line switches have no resistance. A cell conducts L + w(v) H: its conductance at no voltage, and what the
voltage adds, with w of a junction of the mean TMR. With that, sums over cells are products with the matrices L and H,
and nothing has to be done anew for every cell at every event.

An event's mean field is the voltage c that is common to all floating columns, and r to all floating rows, by which the
currents into them add up to nothing. Around it, lines deviate by dc and dr,

    R dr - T dc = a,    C dc - T' dr = b,

a and b what the mean field leaves over, R, C, T tangents; what drivers put into a column is taken at its own voltage.
With T replaced by the matrix of rank one that has its sums over rows and columns, the solution costs a pass over the
lines. That is the mean field. The exact voltages follow from repeating it with what T itself leaves over, for all
events at once, by products of matrices: a step shrinks the error by the square of what T has beyond rank one, 0.002 for
random states.
"""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled

TOLERANCE_V = 1e-3
"""Of the last step."""
_MOST_SWEEPS = 20
_MOST_STEPS = 100
_STEP_V = 1e-7
"""At which the mean field is found."""
_KNOTS = 7
"""Of a column's voltage, between which its drivers' current is a cubic."""
_KEPT_SHARE = 0.02
"""Of all columns: until so many more of them float, the mean field keeps rows' deviations, which hardly change."""
_LEAST_S = 1e-12
_ONE = np.float32(1)
_LEAST_ROW_S = np.float32(_LEAST_S)


class NotConvergedError(Exception):
    """Voltages of lines that do not settle."""


class Lines(NamedTuple):
    """Voltages over one phase. Events are its start and every time at which columns switch off."""

    row_v: Any
    """(events, rows) float32, from each event to the next."""
    column_v: Any
    """(columns, events), 0 of a selected column."""
    row_ohm: Any
    """(rows,) the resistance through which the other lines hold a floating row; 0 of a driven one."""
    column_ohm: Any
    """(columns,) the same of a column, once it floats."""
    rows_v: Any
    """(events, 2) between which the voltages of all floating rows lie."""
    power_w: Any
    """(events,) what the drivers put into floating columns."""


class _Driven(NamedTuple):
    """What drivers put into columns, at knots of a column's voltage."""

    first_v: float
    step_v: float
    current_a: Any
    """(knots, columns), columns as they begin to float, as everywhere in here."""
    slope_s: Any
    power_w: Any
    power_slope: Any


@compiled(forceinline=True)
def bias_weight(tmr, ratio):  # type: ignore[no-untyped-def]
    """Return w, which is 1 at v_h."""
    u = ratio * ratio
    return u * (2.0 + tmr) / (1.0 + u + tmr)


@compiled(forceinline=True)
def _tangent(tmr, ratio):  # type: ignore[no-untyped-def]
    """Return d(v w)/dv."""
    u = ratio * ratio
    q = 1.0 / (1.0 + u + tmr)
    return u * (2.0 + tmr) * q * (1.0 + 2.0 * (1.0 + tmr) * q)


@compiled()
def line_voltages(  # type: ignore[no-untyped-def]
    cells, tmr, v_h_v, level_v, source_v, row_floats, order, floating, mean_field, with_power
):
    """Return the `Lines` of a phase.

    Args:
        cells: `large_flips.CellArrays`.
        tmr: of a nominal junction.
        v_h_v: voltage that halves the TMR.
        level_v: (rows,) junction levels, 0 of floating rows.
        source_v: (rows,) by which a driver's current counts as power; 0 of floating rows.
        row_floats: (rows,) bool.
        order: (columns,) first those never selected, then the others as they switch off.
        floating: (events,) how many columns float from each event on.
        mean_field: whether that is enough.
        with_power: whether `power_w` is asked for; otherwise it is 0.

    Raises:
        NotConvergedError: voltages that do not settle.
    """
    width, height = cells.low_s.shape
    events, most = floating.size, floating[-1]
    lines = Lines(
        np.zeros((events, height), np.float32),
        np.zeros((width, events)),
        np.zeros(height, np.float32),
        np.zeros(width),
        np.zeros((events, 2)),
        np.zeros(events),
    )
    if most == 0:
        for k in range(events):
            lines.row_v[k] = level_v
        return lines
    driven = _driven(cells, tmr, v_h_v, level_v, source_v, row_floats, order[:most], with_power)
    column_v = np.zeros((events, most))
    if row_floats.any():
        _floating_rows(
            cells, tmr, v_h_v, level_v, row_floats, order[:most], floating, mean_field, driven, lines, column_v
        )
    else:
        _driven_rows(driven, level_v, floating, lines, column_v)
    for k in range(events):
        for j in range(floating[k]):
            lines.column_v[order[j], k] = column_v[k, j]
            if with_power:
                lines.power_w[k] += _cubic(driven, driven.power_w, driven.power_slope, column_v[k, j], j)[0]
    resistance = lines.column_ohm.copy()
    for j in range(most):
        lines.column_ohm[order[j]] = resistance[j]
    return lines


@compiled()
def _driven(cells, tmr, v_h_v, level_v, source_v, row_floats, order, with_power):  # type: ignore[no-untyped-def]
    """Return what drivers put into the columns of `order`."""
    # Unsigned, because signed indices are tested for being negative.
    rows = np.flatnonzero(~row_floats).astype(np.uint64)
    low, high = np.empty((order.size, rows.size), np.float32), np.empty((order.size, rows.size), np.float32)
    for j in range(order.size):
        _take(cells.low_s[order[j]], rows, low[j])
        _take(cells.rise_s[order[j]], rows, high[j])
    first_v, last_v = min(level_v.min(), 0.0), max(level_v.max(), 0.0)
    step_v = max(last_v - first_v, 1e-3) / (_KNOTS - 1)
    kinds, per_v_h = 4 if with_power else 2, 1.0 / v_h_v
    linear, rising = np.empty((4, rows.size), np.float32), np.empty((kinds * _KNOTS, rows.size), np.float32)
    for n in range(rows.size):
        level, source = level_v[rows[n]], source_v[rows[n]]
        linear[0, n], linear[1, n], linear[2, n], linear[3, n] = level, 1.0, level * source, source
        for m in range(_KNOTS):
            v = level - (first_v + m * step_v)
            into, slope = v * bias_weight(tmr, v * per_v_h), _tangent(tmr, v * per_v_h)
            rising[m, n], rising[_KNOTS + m, n] = into, slope
            if with_power:
                rising[2 * _KNOTS + m, n], rising[3 * _KNOTS + m, n] = into * source, slope * source
    linear_a, rising_a = np.dot(linear, low.T), np.dot(rising, high.T)
    found = np.zeros((4, _KNOTS, order.size))
    for kind in range(0, kinds, 2):
        for m in range(_KNOTS):
            v = first_v + m * step_v
            for j in range(order.size):
                found[kind, m, j] = linear_a[kind, j] - v * linear_a[kind + 1, j] + rising_a[kind * _KNOTS + m, j]
                found[kind + 1, m, j] = -linear_a[kind + 1, j] - rising_a[(kind + 1) * _KNOTS + m, j]
    return _Driven(first_v, step_v, found[0], found[1], found[2], found[3])


@compiled(forceinline=True)
def _cubic(driven, values, slopes, v_v, j):  # type: ignore[no-untyped-def]
    """Return the value of column j at a voltage, and its derivative."""
    at = (v_v - driven.first_v) / driven.step_v
    n = min(max(int(at), 0), _KNOTS - 2)
    at -= n
    here, there = values[n, j], values[n + 1, j]
    start, end = slopes[n, j] * driven.step_v, slopes[n + 1, j] * driven.step_v
    square, cube = 3.0 * (there - here) - 2.0 * start - end, start + end - 2.0 * (there - here)
    slope = (start + at * (2.0 * square + 3.0 * at * cube)) / driven.step_v
    return here + at * (start + at * (square + at * cube)), slope


@compiled()
def _cubics(driven, v_v, count):  # type: ignore[no-untyped-def]
    """Return what drivers put into each of the first `count` columns, all at one voltage, and its derivative."""
    at = (v_v - driven.first_v) / driven.step_v
    n = min(max(int(at), 0), _KNOTS - 2)
    at -= n
    here, there, start, end = driven.current_a[n], driven.current_a[n + 1], driven.slope_s[n], driven.slope_s[n + 1]
    near, far = (1.0 + 2.0 * at) * (1.0 - at) ** 2, at * at * (3.0 - 2.0 * at)
    leaving, coming = driven.step_v * at * (1.0 - at) ** 2, driven.step_v * at * at * (at - 1.0)
    curve = 6.0 * at * (1.0 - at) / driven.step_v
    into, slope = np.empty(count), np.empty(count)
    for j in range(count):
        into[j] = near * here[j] + far * there[j] + leaving * start[j] + coming * end[j]
    near, far = (1.0 - at) * (1.0 - 3.0 * at), at * (3.0 * at - 2.0)
    for j in range(count):
        slope[j] = curve * (there[j] - here[j]) + near * start[j] + far * end[j]
    return into, slope


@compiled()
def _driven_rows(driven, level_v, floating, lines, column_v):  # type: ignore[no-untyped-def]
    """Set the voltages where every row is held: each column's depends on itself alone."""
    events, most = column_v.shape
    for k in range(events):
        lines.row_v[k] = level_v
    for j in range(most):
        v, step = level_v.mean(), 1.0
        for _ in range(_MOST_STEPS):
            into, slope = _cubic(driven, driven.current_a, driven.slope_s, v, j)
            step = into / (_LEAST_S - slope)
            v += step
            if abs(step) < _STEP_V:
                break
        if not abs(step) < _STEP_V:
            raise NotConvergedError
        lines.column_ohm[j] = 1.0 / (_LEAST_S - _cubic(driven, driven.current_a, driven.slope_s, v, j)[1])
        for k in range(events):
            if j < floating[k]:
                column_v[k, j] = v


@compiled()
def _floating_rows(  # type: ignore[no-untyped-def]
    cells, tmr, v_h_v, level_v, row_floats, order, floating, mean_field, driven, lines, column_v
):
    """Set the voltages where rows float."""
    width, height = cells.low_s.shape
    events, most = column_v.shape
    level, floats = level_v.astype(np.float32), row_floats.astype(np.float32)
    every = np.ones(width, np.float32)
    column_low, column_rise = np.dot(cells.low_s, floats)[order], np.dot(cells.rise_s, floats)[order]
    all_low, all_rise = np.dot(every, cells.low_s) * floats, np.dot(every, cells.rise_s) * floats
    low, rise = np.zeros(height, np.float32), np.zeros(height, np.float32)
    kept = 1 if mean_field else events
    # Of a row: what is left over, its conductance to floating columns, one over that to all.
    surplus_a, across_s = np.zeros((kept, height), np.float32), np.zeros((kept, height), np.float32)
    row_ohm, moves_v = np.zeros((kept, height), np.float32), np.zeros((kept, height), np.float32)
    # Of a column: its current at the mean field but for the drivers', its conductance to floating rows, one over all.
    inflow_a, down_s, column_ohm = np.zeros((kept, most)), np.zeros((kept, most)), np.zeros((kept, most))
    mean_v, shares, tangents = np.zeros((events, 2)), np.zeros((events, 3)), np.zeros(events)
    sums, common = (
        np.zeros(4),
        _Driven(
            driven.first_v,
            driven.step_v,
            np.zeros((_KNOTS, 1)),
            np.zeros((_KNOTS, 1)),
            driven.power_w,
            driven.power_slope,
        ),
    )
    sums[2], sums[3] = all_low.sum(), all_rise.sum()
    across_v, ahead_v, from_rows, forth, done, known = 0.0, 0.0, 0.0, 0.0, 0, -width
    lowest_v, highest_v = 0.0, 0.0
    for k in range(events):
        count, at = floating[k], 0 if mean_field else k
        for j in range(done, count):
            _add(cells.low_s[order[j]], floats, low)
            _add(cells.rise_s[order[j]], floats, rise)
            sums[0] += column_low[j]
            sums[1] += column_rise[j]
            for n in range(_KNOTS):
                common.current_a[n, 0] += driven.current_a[n, j]
                common.slope_s[n, 0] += driven.slope_s[n, j]
        done = count
        if count == 0:
            lines.row_v[k] = level
            continue
        ahead_v, across_v = _mean_field(common, sums, tmr, v_h_v, ahead_v, across_v)
        mean_v[k] = ahead_v, across_v
        between_v = across_v - ahead_v
        weight, tangent = bias_weight(tmr, between_v / v_h_v), _tangent(tmr, between_v / v_h_v)
        down_weight, down_tangent = bias_weight(tmr, across_v / v_h_v), _tangent(tmr, across_v / v_h_v)
        # Solution with a coupling of rank one, whose sums over rows and columns are those of the cells.
        coupling_s = max(sums[0] + tangent * sums[1], _LEAST_S)
        moves = moves_v[at]
        anew = not mean_field or count - known >= _KEPT_SHARE * width
        if anew:
            known = count
            _rows(
                (np.float32(across_v), np.float32(between_v)),
                (np.float32(weight), np.float32(tangent), np.float32(down_weight), np.float32(down_tangent)),
                low, rise, all_low, all_rise, surplus_a[at], across_s[at], row_ohm[at],
            )  # fmt: skip
            _product(across_s[at], row_ohm[at], moves)
            from_rows = np.dot(moves, surplus_a[at]) / coupling_s
            forth = np.dot(moves, across_s[at]) / coupling_s
        inflow, down, held = inflow_a[at], down_s[at], column_ohm[at]
        into, slope = _cubics(driven, ahead_v, count)
        for j in range(count):
            inflow[j] = between_v * (column_low[j] + weight * column_rise[j])
        for j in range(count):
            down[j] = column_low[j] + tangent * column_rise[j]
        for j in range(count):
            held[j] = 1.0 / (down[j] - slope[j] + _LEAST_S)
        for j in range(count):
            into[j] = (inflow[j] + into[j]) * held[j]
        for j in range(count):
            slope[j] = down[j] * held[j]
        from_columns = np.dot(down[:count], into) / coupling_s
        back = np.dot(down[:count], slope) / coupling_s
        of_columns = (from_columns + back * from_rows) / (1.0 - forth * back)
        of_rows = from_rows + forth * of_columns
        shares[k] = coupling_s, forth, back
        tangents[k] = tangent
        for j in range(count):
            column_v[k, j] = into[j] + slope[j] * of_rows + ahead_v
        if anew:
            _moved(surplus_a[at], across_s[at], np.float32(of_columns), row_ohm[at], moves)
            lowest_v, highest_v = _extremes(moves)
        lines.rows_v[k] = across_v + lowest_v, across_v + highest_v
        _sum(level, moves, floats, np.float32(across_v), lines.row_v[k])
    lines.row_ohm[:] = row_ohm[-1] * floats
    lines.column_ohm[:most] = column_ohm[-1]
    if not mean_field:
        # The coupling at a voltage between rows and columns as in the middle of the phase. What it lacks at an event is
        # small, and of rank one.
        tangent = tangents[floating.size // 2]
        cells_s = np.empty((most, height), np.float32)
        for j in range(most):
            for i in range(height):
                cells_s[j, i] = floats[i] * (cells.low_s[order[j], i] + np.float32(tangent) * cells.rise_s[order[j], i])
        step_v = 1.0
        for _ in range(_MOST_SWEEPS):
            step_v = _sweep(
                cells_s, driven, floating, mean_v, shares, tangents - tangent, column_rise, inflow_a, down_s, surplus_a,
                across_s, row_ohm, moves_v, column_v,
            )  # fmt: skip
            if step_v < TOLERANCE_V:
                break
        if not step_v < TOLERANCE_V:
            raise NotConvergedError
        for k in range(events):
            if floating[k]:
                _sum(level, moves_v[k], floats, np.float32(mean_v[k, 1]), lines.row_v[k])
                lowest_v, highest_v = _extremes(moves_v[k])
                lines.rows_v[k] = mean_v[k, 1] + lowest_v, mean_v[k, 1] + highest_v


@compiled()
def _sweep(  # type: ignore[no-untyped-def]
    cells_s, driven, floating, mean_v, shares, lacks, column_rise, inflow_a, down_s, surplus_a, across_s, row_ohm,
    moves_v, column_v,
):  # fmt: skip
    """Bring rows, then columns nearer to their solution at all events, and return the largest step of a column."""
    events, most = column_v.shape
    deviations = np.zeros((events, most), np.float32)
    for k in range(events):
        for j in range(floating[k]):
            deviations[k, j] = column_v[k, j] - mean_v[k, 0]
    into_rows, largest_v = np.dot(deviations, cells_s), 0.0
    for k in range(events):
        if floating[k]:
            share = np.float32(0)
            for j in range(floating[k]):
                share += np.float32(column_rise[j]) * deviations[k, j]
            share *= np.float32(lacks[k] / shares[k, 0])
            _moved(surplus_a[k] + into_rows[k], across_s[k], share, row_ohm[k], moves_v[k])
    into_columns, left = np.dot(moves_v, cells_s.T), np.empty(most)
    for k in range(events):
        if floating[k] == 0:
            continue
        coupling_s, forth, back = shares[k]
        of_rows, of_columns = lacks[k] * np.dot(across_s[k], moves_v[k]) / coupling_s, 0.0
        for j in range(floating[k]):
            v = column_v[k, j]
            into, slope = _cubic(driven, driven.current_a, driven.slope_s, v, j)
            left[j] = into + inflow_a[k, j] - down_s[k, j] * (v - mean_v[k, 0]) + into_columns[k, j]
            left[j] += of_rows * column_rise[j]
            total_s = down_s[k, j] - slope + _LEAST_S
            left[j] /= total_s
            of_columns += down_s[k, j] * left[j] / coupling_s
            into_columns[k, j] = down_s[k, j] / total_s
        of_columns /= 1.0 - forth * back
        for j in range(floating[k]):
            step_v = left[j] + into_columns[k, j] * forth * of_columns
            column_v[k, j] += step_v
            largest_v = max(largest_v, abs(step_v))
        _moved(moves_v[k] / row_ohm[k], across_s[k], np.float32(of_columns), row_ohm[k], moves_v[k])
    return largest_v


@compiled()
def _mean_field(common, sums, tmr, v_h_v, column_v, row_v):  # type: ignore[no-untyped-def]
    """Return the common voltages of floating columns and rows, by Newton's method from those before.

    Args:
        common: what drivers put into all floating columns together.
        sums: L and H of cells in floating rows: of floating columns, 2, and of all, 2.
        tmr: of a nominal junction.
        v_h_v: voltage that halves it.
        column_v: to start from.
        row_v: to start from.
    """
    for _ in range(_MOST_STEPS):
        into, slope = _cubic(common, common.current_a, common.slope_s, column_v, 0)
        between_v = row_v - column_v
        across = between_v * (sums[0] + bias_weight(tmr, between_v / v_h_v) * sums[1])
        across_s = sums[0] + _tangent(tmr, between_v / v_h_v) * sums[1]
        down = row_v * (sums[2] - sums[0] + bias_weight(tmr, row_v / v_h_v) * (sums[3] - sums[1]))
        down_s = sums[2] - sums[0] + _tangent(tmr, row_v / v_h_v) * (sums[3] - sums[1])
        column_s, row_s = across_s - slope + _LEAST_S, across_s + down_s + _LEAST_S
        surplus, lost = into + across, across + down
        determinant = column_s * row_s - across_s * across_s
        column_step = (surplus * row_s - lost * across_s) / determinant
        row_step = (surplus * across_s - lost * column_s) / determinant
        column_v += column_step
        row_v += row_step
        if abs(column_step) + abs(row_step) < _STEP_V:
            return column_v, row_v
    raise NotConvergedError


@compiled()
def _rows(voltages, weights, low, rise, all_low, all_rise, surplus_a, across_s, row_ohm):  # type: ignore[no-untyped-def]
    """Set what the mean field leaves over in rows, and their conductances; single precision, for vectors."""
    across_v, between_v = voltages
    weight, tangent, down_weight, down_tangent = weights
    # One array is set in each loop: with more, the compiler would not know that none of them overlap.
    for i in range(low.size):
        across_s[i] = low[i] + tangent * rise[i]
    for i in range(low.size):
        held_s = all_low[i] - low[i] + down_tangent * (all_rise[i] - rise[i])
        row_ohm[i] = _ONE / (across_s[i] + held_s + _LEAST_ROW_S)
    for i in range(low.size):
        held_s = all_low[i] - low[i] + down_weight * (all_rise[i] - rise[i])
        surplus_a[i] = -across_v * held_s - between_v * (low[i] + weight * rise[i])


@compiled()
def _moved(surplus_a, across_s, ahead_v, row_ohm, moves_v):  # type: ignore[no-untyped-def]
    for i in range(moves_v.size):
        moves_v[i] = (surplus_a[i] + across_s[i] * ahead_v) * row_ohm[i]


@compiled()
def _take(values, places, into):  # type: ignore[no-untyped-def]
    for n in range(into.size):
        into[n] = values[places[n]]


@compiled()
def _add(values, factors, into):  # type: ignore[no-untyped-def]
    for i in range(into.size):
        into[i] += values[i] * factors[i]


@compiled()
def _product(values, factors, into):  # type: ignore[no-untyped-def]
    for i in range(into.size):
        into[i] = values[i] * factors[i]


@compiled()
def _sum(level_v, moves_v, floats, mean_v, row_v):  # type: ignore[no-untyped-def]
    for i in range(row_v.size):
        row_v[i] = level_v[i] + moves_v[i] + floats[i] * mean_v


@compiled()
def _extremes(values):  # type: ignore[no-untyped-def]
    """Return the smallest and the largest of (n,) values: by halves, for vectors."""
    low, high, size = values.copy(), values.copy(), values.size
    while size > 1:
        half = (size + 1) // 2
        low_end, high_end = low[size - half : size], high[size - half : size]
        for n in range(half):
            low[n] = min(low[n], low_end[n])
        for n in range(half):
            high[n] = max(high[n], high_end[n])
        size = half
    return low[0], high[0]

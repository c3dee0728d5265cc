"""Compiled kernel: the lines' voltages in one write phase of a large 1R array, solved anew whenever columns switch off.

Wires and line switches have no resistance. Cells are linearised around predicted voltages, and one linearisation serves
the few events over which lines stay near them: floating rows are eliminated, and what remains for the columns' change
dc is

    S dc = surplus,    S = diag(C) - t' diag(1/R) t,

as in `crossbar.floating_kernels`. Columns are numbered in the order in which they begin to float. Those that float at
an event are then the first of them, and its solution takes a leading block of one Cholesky factor of S. A column that
switches off moves far: its cells become chords, right where it is held and where it is expected to go.

The prediction is a mean field, with all floating columns at one voltage and all floating rows at another. Arrays are
(columns, rows) of 32 bits, so that a pass over the cells is a few vector operations.
"""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled

_SPAN_V = 0.2
"""By so much the mean field may move under one linearisation."""
FARTHEST_V = 0.15
"""From where its cells are linearised a line may be so far; it is then off by a tenth of this squared over v_h."""
_MOST_PASSES = 12
_MEAN_FIELD_STEPS = 3
_LEAK = 1e-6
"""Of a column's conductance, so that one that hangs together with floating rows only has a voltage."""
_LEAST_S = 1e-14
_ONE, _TWO = np.float32(1), np.float32(2)


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
    power_w: Any
    """(events,) what the drivers put into floating columns."""
    farthest_v: Any
    """(events,) the largest distance of a line from where its cells were linearised."""


class _Linear(NamedTuple):
    """Cells linearised around the lines' references; columns as they begin to float."""

    current_a: Any
    """(columns,) into a column."""
    tangent_s: Any
    """(columns, rows)."""
    total_s: Any
    """(columns,) its sum over rows."""
    power_w: Any
    """(columns,) what the drivers put into a column, and its fall per volt of the column."""
    power_w_per_v: Any
    row_ohm: Any
    """(rows,) 1/R; 0 of driven rows."""
    fall_v: Any
    """(rows,) by how much a floating row lies too high while columns stay."""


@compiled()
def line_voltages(g_s, tmr, v_h_v, level_v, source_v, row_floats, order, floating):  # type: ignore[no-untyped-def]
    """Return the `Lines` of a phase.

    Args:
        g_s: (columns, rows) float32, conductance in P, siemens; 0 where open.
        tmr: (columns, rows) float32, 0 in P: G(V) = g/(1 + tmr/(1 + (V/v_h)^2)).
        v_h_v: voltage that halves the TMR.
        level_v: (rows,) junction levels; those of floating rows do not count.
        source_v: (rows,) by which a driver's current counts as power; 0 of floating rows.
        row_floats: (rows,) bool.
        order: (columns,) first those never selected, then the others as they switch off.
        floating: (events,) how many columns float from each event on.
    """
    width, height = g_s.shape
    events = floating.size
    mean_v = _mean_field(tmr, v_h_v, level_v, row_floats, floating)
    row_v, column_v = np.empty((events, height), np.float32), np.zeros((width, events))
    row_ref, column_ref = level_v.astype(np.float32), np.zeros(width)
    column_ohm, power_w, farthest_v = np.zeros(width), np.zeros(events), np.zeros(events)
    source, tangent_s = source_v.astype(np.float32), np.empty((width, height), np.float32)
    row_ohm = np.zeros(height, np.float32)
    start = 0
    while start < events:
        end = start + 1
        while end < events and np.abs(mean_v[end] - mean_v[start]).max() <= _SPAN_V:
            end += 1
        ahead_v, across_v = mean_v[(start + end) // 2]
        for i in range(height):
            if row_floats[i]:
                row_ref[i] = across_v if start == 0 else row_v[start - 1, i] + across_v - mean_v[start - 1, 1]
        for j in range(floating[start]):
            known = start > 0 and j < floating[start - 1]
            column_ref[j] = column_v[order[j], start - 1] + ahead_v - mean_v[start - 1, 0] if known else ahead_v
        for _ in range(_MOST_PASSES):
            before, after = floating[start], floating[end - 1]
            linear = _linearised(
                g_s, tmr, v_h_v, row_ref, column_ref, ahead_v, source, row_floats, order, before, after, tangent_s
            )
            moved, rows_moved = _moves(linear, floating[start:end])
            farthest = np.abs(rows_moved).max()
            for k in range(start, end):
                row_v[k] = row_ref + rows_moved[k - start]
                for j in range(floating[k]):
                    expected = 0.0 if j < before else ahead_v
                    farthest = max(farthest, abs(moved[k - start, j] - expected))
            if farthest <= FARTHEST_V:
                break
            # Again for fewer events, around what they come to.
            end = start + max(1, (end - start) // 2)
            middle = (start + end) // 2
            row_ref[:] = row_v[middle]
            column_ref[:before] += moved[middle - start, :before]
            if before:
                ahead_v = column_ref[:before].mean()
        row_ohm = linear.row_ohm
        for k in range(start, end):
            farthest_v[k] = farthest
            for j in range(floating[k]):
                v = column_ref[j] + moved[k - start, j] if j < before else moved[k - start, j]
                column_v[order[j], k] = v
                column_ohm[order[j]] = 1 / linear.total_s[j] if linear.total_s[j] > 0 else 0.0
                power_w[k] += linear.power_w[j] - linear.power_w_per_v[j] * moved[k - start, j]
        start = end
    return Lines(row_v, column_v, row_ohm, column_ohm, power_w, farthest_v)


@compiled()
def _mean_field(tmr, v_h_v, level_v, row_floats, floating):  # type: ignore[no-untyped-def]
    """Return the common voltages of floating columns and of floating rows, (events, 2)."""
    width, height = tmr.shape
    every, mean_tmr = np.ones(height, np.float32), 0.0
    for j in range(width):
        mean_tmr += np.dot(tmr[j], every) / tmr.size
    # Drivers of one sign count as one, of the mean level.
    counts, sums_v = np.zeros(2), np.zeros(2)
    for i in range(height):
        if not row_floats[i]:
            sign = int(level_v[i] > 0)
            counts[sign] += 1
            sums_v[sign] += level_v[i]
    rows_floating = height - counts.sum()
    column_v = sums_v.sum() / height
    row_v = column_v * floating[0] / width
    found = np.zeros((floating.size, 2))
    for k in range(floating.size):
        held = width - floating[k]
        for _ in range(_MEAN_FIELD_STEPS):
            across, down = _relative_s(mean_tmr, (column_v - row_v) / v_h_v), _relative_s(mean_tmr, row_v / v_h_v)
            share = floating[k] * across / (floating[k] * across + held * down)
            conducts, drives = rows_floating * across * (1 - share), 0.0
            for sign in range(2):
                if counts[sign]:
                    level = sums_v[sign] / counts[sign]
                    weight = counts[sign] * _relative_s(mean_tmr, (level - column_v) / v_h_v)
                    conducts += weight
                    drives += weight * level
            column_v = drives / conducts
            row_v = column_v * share
        found[k, 0], found[k, 1] = column_v, row_v
    return found


@compiled()
def _relative_s(tmr, ratio):  # type: ignore[no-untyped-def]
    return 1 / (1 + tmr / (1 + ratio * ratio))


@compiled()
def _linearised(  # type: ignore[no-untyped-def]
    g_s, tmr, v_h_v, row_ref, column_ref, ahead_v, source, row_floats, order, before, after, tangent_s
):
    """Return `_Linear` at the references; columns from `before` to `after` are held at first, then near `ahead_v`."""
    width, height = g_s.shape
    per_v_h2 = np.float32(1 / v_h_v**2)
    every, current = np.ones(height, np.float32), np.empty(height, np.float32)
    conducts, loses = np.zeros(height, np.float32), np.zeros(height, np.float32)
    current_a, total_s, power_w, per_v = np.empty(after), np.empty(after), np.empty(after), np.empty(after)
    for j in range(width):
        g, t, slopes = g_s[order[j]], tmr[order[j]], tangent_s[j]
        if before <= j < after:
            _chords(g, t, per_v_h2, row_ref, np.float32(ahead_v), current, slopes)
        else:
            _tangents(g, t, per_v_h2, row_ref, np.float32(column_ref[j] if j < before else 0.0), current, slopes)
        for i in range(height):
            conducts[i] += slopes[i]
            loses[i] += current[i]
        if j < after:
            # Sums by BLAS, because a loop's may not be put into another order.
            current_a[j], total_s[j] = np.dot(current, every), np.dot(slopes, every)
            power_w[j], per_v[j] = np.dot(current, source), np.dot(slopes, source)
    row_ohm = np.zeros(height, np.float32)
    for i in range(height):
        if row_floats[i] and conducts[i] > 0:
            row_ohm[i] = _ONE / conducts[i]
    return _Linear(current_a, tangent_s[:after], total_s, power_w, per_v, row_ohm, loses * row_ohm)


@compiled()
def _tangents(g, t, per_v_h2, row_v, column_v, current, slopes):  # type: ignore[no-untyped-def]
    """Set a column's currents and their derivatives."""
    for i in range(g.size):
        v = row_v[i] - column_v
        u = v * v * per_v_h2
        q = _ONE / (_ONE + u + t[i])
        x = t[i] * q
        current[i] = v * g[i] * (_ONE - x)
        slopes[i] = g[i] * (_ONE - x * (_ONE - _TWO * u * q))


@compiled()
def _chords(g, t, per_v_h2, row_v, ahead_v, current, slopes):  # type: ignore[no-untyped-def]
    """Set a column's currents at 0 V and their mean derivatives from there to `ahead_v`."""
    per_v = _ONE / ahead_v if abs(ahead_v) > 1e-3 else np.float32(1e3)
    step_v = _ONE / per_v
    for i in range(g.size):
        v = row_v[i]
        w = v - step_v
        near = v * g[i] * (_ONE - t[i] / (_ONE + v * v * per_v_h2 + t[i]))
        far = w * g[i] * (_ONE - t[i] / (_ONE + w * w * per_v_h2 + t[i]))
        current[i] = near
        slopes[i] = (near - far) * per_v


@compiled()
def _moves(linear, floating):  # type: ignore[no-untyped-def]
    """Return the changes of columns, (events, columns), and of rows, (events, rows), as more and more columns float.

    Scales `linear.tangent_s` by the root of 1/R.
    """
    after = linear.total_s.size
    surplus = linear.current_a - np.dot(linear.tangent_s, linear.fall_v)
    through, root = linear.tangent_s, np.sqrt(linear.row_ohm)
    for j in range(after):
        for i in range(root.size):
            through[j, i] *= root[i]
    # The triangle below the diagonal, in two blocks of which the upper one is square.
    half = after // 2
    schur = np.zeros((after, after))
    schur[:half, :half] = -np.dot(through[:half], through[:half].T)
    schur[half:] = -np.dot(through[half:], through.T)
    for j in range(after):
        schur[j, j] += linear.total_s[j] * (1 + _LEAK) + _LEAST_S
    lower = np.linalg.cholesky(schur)
    for j in range(after):
        known = 0.0
        for m in range(j):
            known += lower[j, m] * surplus[m]
        surplus[j] = (surplus[j] - known) / lower[j, j]
    moved = np.zeros((floating.size, after))
    for k in range(floating.size):
        move = moved[k]
        move[: floating[k]] = surplus[: floating[k]]
        for j in range(floating[k] - 1, -1, -1):
            _substitute(move, lower[j], j)
    rows_moved = np.dot(moved.astype(np.float32), through)
    for k in range(floating.size):
        for i in range(root.size):
            rows_moved[k, i] = rows_moved[k, i] * root[i] - linear.fall_v[i]
    return moved, rows_moved


@compiled()
def _substitute(move, lower, j):  # type: ignore[no-untyped-def]
    """Solve for unknown j, and take it out of the equations before it."""
    move[j] /= lower[j]
    known = move[j]
    for m in range(j):
        move[m] -= lower[m] * known

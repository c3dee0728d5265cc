"""Compiled kernels for floating lines: voltages at which Kirchhoff's current law holds; for use inside other kernels.

Wires have no resistance, and a line is either held at a known voltage or floats. `settle` takes Newton's steps: cells
become their tangent conductances t, floating rows are eliminated, and what remains for the columns' change dc,

    S dc = surplus,    S = diag(C) - t' diag(1/R) t,    R and C the sums of t along rows and columns,

is solved without forming S: a product with it is one pass over the cells of floating rows. Floating columns that move
together meet little resistance, the less so the fewer lines are held. This mean is solved for by itself and taken out
of every direction of conjugate gradients (deflation; Nicolaides, SIAM J. Numer. Anal. 24, 1987), preconditioned by
the diagonal. What is left is the scatter of the cells, and a wide array gains three digits a pass.

Linear cells need no Newton: `eliminate_rows` once, then `relax` whenever columns begin to float. It goes on from where
it was, and two passes bring 784 x 100 cells to a microvolt.

A line whose cells are all open is put to 0 V. Lines that are connected with each other, but with no held line, carry no
current; their common voltage is whatever it was.
"""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled

_BLOCK = 8
"""Rows whose sums run side by side: in order each, and still a few at a time."""
_MOST_STEPS = 50
_CURVATURE = 1.0
"""After a Newton step of d, lines are off by less than this times d^2/v_h; measured, 0.1 is usual."""
_LINEAR_SHARE = 0.1
"""Of the tolerance that is left to the linear solution."""
_ROUNDING = 1e-13
"""A difference of conductances that is smaller than this share of them is zero."""


class Columns(NamedTuple):
    """What is left on the columns when floating rows have been eliminated; kernels change it in place.

    Lists of floating rows are padded to whole blocks by repetitions of no weight.
    """

    row: Any
    """(n,) the floating rows."""
    row_ohm: Any
    """(n,) 1/R, 0 in the padding and where all cells are open."""
    row_mean_s: Any
    """(n,) sum of t over the columns in `mean`."""
    total_s: Any
    """(columns,) C."""
    diagonal_ohm: Any
    """(columns,) 1/diagonal of S, 0 where nothing holds the column."""
    surplus_a: Any
    """(columns,) what flows into a column at the present voltages."""
    mean: Any
    """(columns,) 1 in the floating columns that conduct, as of the last `relax`, else 0."""
    mean_s: Any
    """(columns,) S times `mean`."""


@compiled(forceinline=True)
def _sums(a, b, c, d, e, f, g, h, weight):  # type: ignore[no-untyped-def]
    """Return eight weighted sums."""
    sa = sb = sc = sd = se = sf = sg = sh = 0.0
    for j in range(weight.size):
        w = weight[j]
        sa += a[j] * w
        sb += b[j] * w
        sc += c[j] * w
        sd += d[j] * w
        se += e[j] * w
        sf += f[j] * w
        sg += g[j] * w
        sh += h[j] * w
    return sa, sb, sc, sd, se, sf, sg, sh


@compiled(forceinline=True)
def _dot(a, b):  # type: ignore[no-untyped-def]
    """Return the product of vectors, without BLAS and its threads."""
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@compiled()
def _product(tangent_s, columns, p_v, in_rows_a, product_a):  # type: ignore[no-untyped-def]
    """Set `product_a` to S p, and `in_rows_a` to what p pushes into each floating row at 0 V."""
    row, ohm, total_s, into = columns.row, columns.row_ohm, columns.total_s, in_rows_a
    some = np.flatnonzero(p_v)
    only = some[0] if some.size == 1 else -1
    product_a[:] = 0.0
    for k in range(0, row.size, _BLOCK):
        a, b, c, d = tangent_s[row[k]], tangent_s[row[k + 1]], tangent_s[row[k + 2]], tangent_s[row[k + 3]]
        e, f, g, h = tangent_s[row[k + 4]], tangent_s[row[k + 5]], tangent_s[row[k + 6]], tangent_s[row[k + 7]]
        if only < 0:
            sums = _sums(a, b, c, d, e, f, g, h, p_v)
        else:
            # One column that begins to float: nothing to sum.
            j, p = only, p_v[only]
            sums = a[j] * p, b[j] * p, c[j] * p, d[j] * p, e[j] * p, f[j] * p, g[j] * p, h[j] * p
        for n in range(_BLOCK):
            into[k + n] = sums[n]
        va, vb, vc, vd = sums[0] * ohm[k], sums[1] * ohm[k + 1], sums[2] * ohm[k + 2], sums[3] * ohm[k + 3]
        ve, vf, vg, vh = sums[4] * ohm[k + 4], sums[5] * ohm[k + 5], sums[6] * ohm[k + 6], sums[7] * ohm[k + 7]
        for j in range(product_a.size):
            low = (a[j] * va + b[j] * vb) + (c[j] * vc + d[j] * vd)
            product_a[j] += low + ((e[j] * ve + f[j] * vf) + (g[j] * vg + h[j] * vh))
    for j in range(product_a.size):
        product_a[j] = total_s[j] * p_v[j] - product_a[j]


@compiled(forceinline=True)
def _currents(g_s, tmr, per_v_h2, i, v_v, column_v, current_a, tangent_s):  # type: ignore[no-untyped-def]
    """Set `current_a` to what a row at `v_v` loses into each column, and row i of `tangent_s` to its derivative."""
    g = g_s[i]
    if tmr is None:
        for j in range(column_v.size):
            current_a[j] = g[j] * (v_v - column_v[j])
    else:
        t, tangent = tmr[i], tangent_s[i]
        for j in range(column_v.size):
            v = v_v - column_v[j]
            u = v * v * per_v_h2
            q = 1.0 / (1.0 + u + t[j])
            x = t[j] * q
            current_a[j] = v * g[j] * (1.0 - x)
            tangent[j] = g[j] * (1.0 - x * (1.0 - 2.0 * u * q))


@compiled()
def eliminate_rows(g_s, tmr, v_h_v, row_v, column_v, row_floats, tangent_s):  # type: ignore[no-untyped-def]
    """Move floating rows to where the present tangents put them, and return the `Columns` that remain.

    Args:
        g_s: (rows, columns) conductance in P; of a linear cell its conductance; 0 where open.
        tmr: (rows, columns), 0 in P: G(V) = g/(1 + tmr/(1 + (V/v_h)^2)). None: all cells are linear.
        v_h_v: voltage that halves the TMR.
        row_v: (rows,) voltages; changed in place where the row floats.
        column_v: (columns,) voltages.
        row_floats: (rows,) bool.
        tangent_s: (rows, columns), set to dI/dV at these voltages. `g_s` itself where cells are linear.
    """
    count = row_floats.sum()
    listed = (count + _BLOCK - 1) // _BLOCK * _BLOCK
    row, row_ohm = np.empty(listed, np.int64), np.zeros(listed)
    row[:count] = np.flatnonzero(row_floats)
    row[count:] = row[0] if count else 0
    width = column_v.size
    surplus_a, total_s, through_s = np.zeros(width), np.zeros(width), np.zeros(width)
    current_a, one = np.empty((_BLOCK, width)), np.ones(width)
    per_v_h2 = 1.0 / v_h_v**2
    for i in range(row_v.size):
        if not row_floats[i]:
            _currents(g_s, tmr, per_v_h2, i, row_v[i], column_v, current_a[0], tangent_s)
            tangent, current = tangent_s[i], current_a[0]
            for j in range(width):
                surplus_a[j] += current[j]
                total_s[j] += tangent[j]
    for k in range(0, listed, _BLOCK):
        for n in range(_BLOCK):
            _currents(g_s, tmr, per_v_h2, row[k + n], row_v[row[k + n]], column_v, current_a[n], tangent_s)
        a, b, c, d = tangent_s[row[k]], tangent_s[row[k + 1]], tangent_s[row[k + 2]], tangent_s[row[k + 3]]
        e, f, g, h = tangent_s[row[k + 4]], tangent_s[row[k + 5]], tangent_s[row[k + 6]], tangent_s[row[k + 7]]
        conducts = _sums(a, b, c, d, e, f, g, h, one)
        a, b, c, d = current_a[0], current_a[1], current_a[2], current_a[3]
        e, f, g, h = current_a[4], current_a[5], current_a[6], current_a[7]
        loses = _sums(a, b, c, d, e, f, g, h, one)
        for n in range(min(_BLOCK, count - k)):
            i = row[k + n]
            ohm = 1.0 / conducts[n] if conducts[n] > 0.0 else 0.0
            fall_v = loses[n] * ohm
            row_ohm[k + n] = ohm
            row_v[i] = row_v[i] - fall_v if ohm > 0.0 else 0.0
            tangent, current = tangent_s[i], current_a[n]
            for j in range(width):
                surplus_a[j] += current[j] - fall_v * tangent[j]
                total_s[j] += tangent[j]
                through_s[j] += tangent[j] * tangent[j] * ohm
    diagonal_s = total_s - through_s
    held = diagonal_s > _ROUNDING * total_s
    diagonal_ohm = np.where(held, 1.0 / np.where(held, diagonal_s, 1.0), 0.0)
    return Columns(row, row_ohm, np.zeros(listed), total_s, diagonal_ohm, surplus_a, np.zeros(width), np.zeros(width))


@compiled(forceinline=True)
def _advance(columns, row_v, column_v, size, p_v, product_a, in_rows_a):  # type: ignore[no-untyped-def]
    """Move all floating lines by `size` along the direction p."""
    row, ohm, surplus_a = columns.row, columns.row_ohm, columns.surplus_a
    for j in range(column_v.size):
        column_v[j] += size * p_v[j]
        surplus_a[j] -= size * product_a[j]
    for k in range(row.size):
        row_v[row[k]] += size * ohm[k] * in_rows_a[k]


@compiled()
def relax(tangent_s, columns, row_v, column_v, column_floats, tolerance_v):  # type: ignore[no-untyped-def]
    """Solve the linear network of `tangent_s`; return the step, V, that Jacobi's method would still take.

    May be called again when more columns float: they start from the voltage at which they were held. Those that float
    go on floating; where one is held again, start from `eliminate_rows`.

    Args:
        tangent_s: (rows, columns) as `eliminate_rows` left it.
        columns: from `eliminate_rows`; changed in place.
        row_v: (rows,) voltages; changed in place where the row floats.
        column_v: (columns,) voltages; changed in place where the column floats.
        column_floats: (columns,) bool.
        tolerance_v: done when that step is smaller.
    """
    width = column_v.size
    mean, mean_s, row_mean_s = columns.mean, columns.mean_s, columns.row_mean_s
    surplus_a, total_s = columns.surplus_a, columns.total_s
    p_v, product_a, in_rows_a = np.zeros(width), np.empty(width), np.empty(columns.row.size)
    goes_on = mean.any()
    for j in range(width):
        if column_floats[j] and total_s[j] == 0.0:
            column_v[j] = 0.0
        elif column_floats[j]:
            p_v[j] = 1.0 - mean[j]
    more = p_v.any()
    if more:
        _product(tangent_s, columns, p_v, in_rows_a, product_a)
        mean += p_v
        mean_s += product_a
        row_mean_s += in_rows_a
    stiffness_s = _dot(mean, mean_s)
    held = stiffness_s > _ROUNDING * _dot(mean, total_s)
    if held:
        _advance(columns, row_v, column_v, _dot(mean, surplus_a) / stiffness_s, mean, mean_s, row_mean_s)
    has_direction = held and more and goes_on
    if has_direction:
        # The columns that have just begun to float, less the mean, are the first direction: its product is known.
        share = _dot(p_v, mean_s) / stiffness_s
        p_v -= share * mean
        product_a -= share * mean_s
        in_rows_a -= share * row_mean_s
        curvature_s = _dot(p_v, product_a)
        has_direction = curvature_s > _ROUNDING * _dot(p_v * p_v, total_s)
        if has_direction:
            _advance(columns, row_v, column_v, _dot(p_v, surplus_a) / curvature_s, p_v, product_a, in_rows_a)
    step_v = 0.0
    for _ in range(2 * width + _MOST_STEPS):
        z_v = mean * columns.diagonal_ohm * surplus_a
        step_v = np.abs(z_v).max()
        if step_v <= tolerance_v:
            break
        if held:
            z_v -= _dot(z_v, mean_s) / stiffness_s * mean
        if has_direction:
            z_v -= _dot(z_v, product_a) / curvature_s * p_v
        p_v[:] = z_v
        _product(tangent_s, columns, p_v, in_rows_a, product_a)
        curvature_s = _dot(p_v, product_a)
        if curvature_s <= 0.0:
            break
        has_direction = True
        _advance(columns, row_v, column_v, _dot(p_v, surplus_a) / curvature_s, p_v, product_a, in_rows_a)
    return step_v


@compiled()
def settle(g_s, tmr, v_h_v, row_v, column_v, row_floats, column_floats, tangent_s, tolerance_v):  # type: ignore[no-untyped-def]
    """Solve for all floating lines from where they are; return whether Newton's method converged.

    Args:
        g_s: (rows, columns) conductance in P, 0 where open.
        tmr: (rows, columns), 0 in P.
        v_h_v: voltage that halves the TMR.
        row_v: (rows,) voltages; changed in place where the row floats.
        column_v: (columns,) voltages; changed in place where the column floats. A floating column at exactly 0 V is
            taken for one that has just begun to float, and starts from the mean of the others.
        row_floats: (rows,) bool.
        column_floats: (columns,) bool.
        tangent_s: (rows, columns), set to dI/dV.
        tolerance_v: of a line's voltage. In wide arrays the error is a tenth of it or less.
    """
    others = column_floats & (column_v != 0.0)
    if others.any():
        start_v = (others * column_v).sum() / others.sum()
        column_v[:] = np.where(column_floats & ~others, start_v, column_v)
    for _ in range(_MOST_STEPS):
        row_before_v, column_before_v = row_v.copy(), column_v.copy()
        columns = eliminate_rows(g_s, tmr, v_h_v, row_v, column_v, row_floats, tangent_s)
        linear_v = _LINEAR_SHARE * tolerance_v
        solved = relax(tangent_s, columns, row_v, column_v, column_floats, linear_v) <= linear_v
        moved_v = max(np.abs(row_v - row_before_v).max(), np.abs(column_v - column_before_v).max())
        if solved and _CURVATURE * moved_v**2 / v_h_v <= tolerance_v - linear_v:
            return True
    return False

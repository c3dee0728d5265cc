"""Exact read of an array whose wires have resistance: the whole effective conductance matrix in one sweep.

Wires are those of badcrossbar (Joksas and Mehonic, SoftwareX 2020): a segment between each driver and the first cell of
its row, and between neighbours along the row; a segment between neighbours along a column, and between its last cell
and the sense node, which is held at 0 V. Nothing but the cell hangs on the far ends.

Seen from the columns, row i is an n-port. With T the row's wires and cells in units of a segment's conductance, and
D = diag(g_i), its admittance is S = D - r_row D T^-1 D, and a driver at 1 V pushes D T^-1 e_0 into shorted columns. The
rows above, of admittance Y and Norton current J, become P Y and P J behind the next column segments, where
P = (1 + r_column Y)^-1, and there S joins in parallel. Nothing is divided by a wire's resistance, so that zero is a
resistance like any other; and currents are sums of positive terms, so that small ones are exact too.
"""

import numpy as np
from scipy.linalg.lapack import dposv, dpotrs, dptsv

from mtjspice.errors import InputError


def effective_conductance_s(g_s: np.ndarray, r_row_ohm: float, r_column_ohm: float) -> np.ndarray:
    """Return the matrix g with which columns at virtual ground draw `v_rows @ g`; O(m n^3), n the shorter side.

    Args:
        g_s: (rows, columns), siemens, each cell with whatever is in series with it; 0 is an open cell.
        r_row_ohm: of a wire segment along a row; 0 or more.
        r_column_ohm: of one along a column.

    Returns:
        (rows, columns), siemens.

    Raises:
        InputError: not a matrix, or a conductance or resistance that is negative or not finite.
    """
    g_s = _checked(g_s, r_row_ohm, r_column_ohm)
    if g_s.shape[0] < g_s.shape[1]:
        # By reciprocity drivers and sense nodes may change places: a row then starts where its column ended.
        return _sweep(g_s[::-1, ::-1].T, r_column_ohm, r_row_ohm)[::-1, ::-1].T
    return _sweep(g_s, r_row_ohm, r_column_ohm)


def cell_voltages_v(g_s: np.ndarray, r_row_ohm: float, r_column_ohm: float, v_rows_v: np.ndarray) -> np.ndarray:
    """Return the voltage over each cell, row side minus column side, for one input.

    Takes columns^2 doubles of memory per row, for the way back from the sense nodes.

    Args:
        g_s: as for `effective_conductance_s`, and so are the resistances.
        r_row_ohm: of a wire segment along a row.
        r_column_ohm: of one along a column.
        v_rows_v: (rows,) driver voltages.

    Returns:
        (rows, columns), V.

    Raises:
        InputError: as `effective_conductance_s`, or inputs that do not fit the rows.
    """
    g_s = _checked(g_s, r_row_ohm, r_column_ohm)
    rows, columns = g_s.shape
    if np.shape(v_rows_v) != (rows,):
        raise InputError("one voltage per row is needed", given=f"shape {np.shape(v_rows_v)}", allowed=f"({rows},)")
    factors = np.empty((rows, columns, columns))
    norton_a = np.empty((rows, columns))
    # The columns' admittance, and the Norton current in one more column.
    carried = np.zeros((columns, columns + 1), order="F")
    for i, g in enumerate(g_s):
        own, per_volt = _row(g, r_row_ohm)
        carried[:, :-1] += own
        carried[:, -1] += per_volt * v_rows_v[i]
        norton_a[i] = carried[:, -1]
        factors[i], carried = _behind_segments(carried, r_column_ohm)
    voltages = np.empty((rows, columns))
    column_v = np.zeros(columns)
    for i in range(rows - 1, -1, -1):
        column_v, info = dpotrs(factors[i], column_v + r_column_ohm * norton_a[i], lower=1)
        assert info == 0
        from_driver, from_columns = _along(g_s[i], r_row_ohm)
        voltages[i] = from_driver * v_rows_v[i] + r_row_ohm * (from_columns @ column_v) - column_v
    return voltages


def _sweep(g_s: np.ndarray, r_row_ohm: float, r_column_ohm: float) -> np.ndarray:
    """Carry the rows' admittance and their currents per volt down to the sense nodes.

    Carrying the currents of all rows at once would cost rows/columns times as much. So rows come in blocks half as tall
    as they are wide: a block carries its own currents, and the matrix that takes earlier ones through it.
    """
    rows, columns = g_s.shape
    height = (columns + 1) // 2
    blocks = []
    admittance = np.zeros((columns, columns))
    for start in range(0, rows, height):
        carried = np.hstack((admittance, np.eye(columns)))
        for g in g_s[start : start + height]:
            own, per_volt = _row(g, r_row_ohm)
            carried[:, :columns] += own
            _, carried = _behind_segments(np.column_stack((carried, per_volt)), r_column_ohm)
        admittance = carried[:, :columns]
        blocks.append(carried[:, columns:])
    effective, later = [], np.eye(columns)
    for block in reversed(blocks):
        effective.append((later @ block[:, columns:]).T)
        later = later @ block[:, :columns]
    return np.vstack(effective[::-1])


def _behind_segments(carried: np.ndarray, r_column_ohm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Cholesky's factor of 1 + r Y and (1 + r Y)^-1 `carried`, of which Y is the first columns."""
    columns = len(carried)
    factor, behind, info = dposv(np.eye(columns) + r_column_ohm * carried[:, :columns], carried, lower=1)
    assert info == 0
    return factor, behind


def _row(g_s: np.ndarray, r_row_ohm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a row's admittance seen from its columns, (columns, columns), and its currents per volt, (columns,)."""
    from_driver, from_columns = _along(g_s, r_row_ohm)
    own = (-r_row_ohm * g_s)[:, None] * from_columns
    own[np.diag_indices(g_s.size)] += g_s
    return own, g_s * from_driver


def _along(g_s: np.ndarray, r_row_ohm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return T^-1 e_0 and T^-1 D: the row's nodes with a driver at 1 V, and with columns at 1 V, over r_row."""
    diagonal = 2 + r_row_ohm * g_s
    diagonal[-1] -= 1
    sides = np.zeros((g_s.size, g_s.size + 1), order="F")
    sides[0, 0] = 1
    np.fill_diagonal(sides[:, 1:], g_s)
    beside = np.full(max(g_s.size - 1, 1), -1.0)  # scipy's wrapper wants one even for a single cell
    _, _, nodes, info = dptsv(diagonal, beside, sides, overwrite_b=1)
    assert info == 0
    return nodes[:, 0], nodes[:, 1:]


def _checked(g_s: np.ndarray, r_row_ohm: float, r_column_ohm: float) -> np.ndarray:
    g_s = np.asarray(g_s, dtype=float)
    if g_s.ndim != 2 or g_s.size == 0:
        raise InputError("conductances must be a matrix of rows by columns", given=f"an array of shape {g_s.shape}")
    for name, unit, values in (
        ("a cell's conductance", "S", g_s),
        ("the resistance of a row's wire segment", "ohm", np.asarray(r_row_ohm)),
        ("the resistance of a column's wire segment", "ohm", np.asarray(r_column_ohm)),
    ):
        wrong = values[~((values >= 0) & (values < np.inf))]
        if wrong.size:
            raise InputError(f"{name} is out of range", given=f"{wrong.flat[0]:g} {unit}", allowed="0 or more, finite")
    return g_s

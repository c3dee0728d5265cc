"""Voltages of floating lines, where wires have no resistance: the network of one instant of a 1R write."""

import numpy as np

from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.floating_kernels import eliminate_rows, relax, settle
from mtjspice.errors import InputError, SimulationError

TOLERANCE_V = 1e-9


def kernel_cells(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Return cells as the kernels take them, (rows, columns): conductance in P, siemens, and TMR, 0 where linear."""
    linear = (cells.state == 1) | (cells.defect == Defect.OPEN) | (cells.defect == Defect.SHORT)
    g_s = np.where(cells.defect == Defect.SHORT, 1 / cells.r_short_ohm, 1 / cells.r_p_ohm)
    return np.where(cells.defect == Defect.OPEN, 0.0, g_s), np.where(linear, 0.0, cells.tmr0)


def line_voltages_v(
    cells: Cells,
    row_v: np.ndarray,
    row_floats: np.ndarray,
    column_floats: np.ndarray,
    tolerance_v: float = TOLERANCE_V,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the voltages of all lines, (rows,) and (columns,), with junctions that depend on their bias.

    Lines whose cells are all open, and lines that only hang together, are at 0 V.

    Args:
        cells: (rows, columns).
        row_v: (rows,) driver levels; those of floating rows do not count.
        row_floats: (rows,) bool.
        column_floats: (columns,) bool; the others are held at 0 V.
        tolerance_v: of a line's voltage.

    Raises:
        InputError: shapes that do not fit, or a level that is not finite.
        SimulationError: Newton's method does not converge.
    """
    g_s, tmr = kernel_cells(cells)
    row_v, column_v, row_floats, column_floats = _start(g_s, row_v, row_floats, column_floats)
    if not settle(g_s, tmr, cells.v_h_v, row_v, column_v, row_floats, column_floats, np.empty(g_s.shape), tolerance_v):
        raise _not_converged(tolerance_v)
    return row_v, column_v


def linear_line_voltages_v(
    g_s: np.ndarray,
    row_v: np.ndarray,
    row_floats: np.ndarray,
    column_floats: np.ndarray,
    tolerance_v: float = TOLERANCE_V,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the voltages of all lines for cells of constant conductance, (rows, columns) siemens, 0 where open.

    Arguments, result and errors are otherwise those of `line_voltages_v`.
    """
    g_s = np.ascontiguousarray(g_s, dtype=float)
    row_v, column_v, row_floats, column_floats = _start(g_s, row_v, row_floats, column_floats)
    columns = eliminate_rows(g_s, None, 1.0, row_v, column_v, row_floats, g_s)
    if not relax(g_s, columns, row_v, column_v, column_floats, tolerance_v) <= tolerance_v:
        raise _not_converged(tolerance_v)
    return row_v, column_v


def _start(
    g_s: np.ndarray, row_v: np.ndarray, row_floats: np.ndarray, column_floats: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the lines' voltages to start from, and which of them float."""
    if g_s.ndim != 2 or g_s.size == 0:
        raise InputError("cells must be a matrix of rows by columns", given=f"an array of shape {g_s.shape}")
    row_v, row_floats, column_floats = np.asarray(row_v, float), np.asarray(row_floats), np.asarray(column_floats)
    for name, values, count in (
        ("one level per row is needed", row_v, g_s.shape[0]),
        ("each row floats or does not", row_floats, g_s.shape[0]),
        ("each column floats or does not", column_floats, g_s.shape[1]),
    ):
        if values.shape != (count,):
            raise InputError(name, given=f"an array of shape {values.shape}", allowed=f"({count},)")
    row_floats, column_floats = row_floats.astype(bool), column_floats.astype(bool)
    row_v = np.where(row_floats, 0.0, row_v)
    if not np.isfinite(row_v).all():
        raise InputError("a row's level is not a number", where=f"row {np.flatnonzero(~np.isfinite(row_v))[0]}")
    return row_v, np.zeros(g_s.shape[1]), row_floats, column_floats


def _not_converged(tolerance_v: float) -> SimulationError:
    return SimulationError(
        "the voltages of floating lines did not converge",
        given=f"to {tolerance_v:g} V",
        next_step="check the conductances of the cells, and whether double precision can reach the tolerance",
    )

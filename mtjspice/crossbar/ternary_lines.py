"""Currents and voltages of an array of ternary synapses with its switches and wires.

Junctions are (lines, columns): line 2i holds M1 of row i, line 2i + 1 its M2. Each stands between its switch, on the
line's side, and its column, which a sense amplifier holds at the common mode below the last row.
"""

from dataclasses import dataclass

import numpy as np

from mtjspice.cards.array import ArrayCard
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import ModelError

_ROUNDS = 300
_SETTLED_V, _LOST_V = 1e-11, 10.0
_SHARE = 0.5
"""Of the wires' new drops that a round takes: whole ones overshoot where wires take much of the voltage."""


@dataclass(frozen=True)
class TernarySolution:
    """One operating point.

    Args:
        v_junction_v: (lines, columns) from column to free side: below 0 drives to parallel.
        i_junction_a: (lines, columns) from line to column.
        r_series_ohm: (lines, columns) dV/dI of the switches where they are.
    """

    v_junction_v: np.ndarray
    i_junction_a: np.ndarray
    r_series_ohm: np.ndarray

    @property
    def i_column_a(self) -> np.ndarray:
        """(columns,) into the sense amplifiers."""
        return np.asarray(self.i_junction_a.sum(axis=0))


def solve_ternary(
    array: ArrayCard, table: SwitchTable, cells: Cells, line_v: np.ndarray, column_on: np.ndarray
) -> TernarySolution:
    """Return the currents at drivers of `line_v`, (lines,), through the columns that are on, (columns,) bool.

    A Newton step for every junction and the wires' drops at the currents so far, in turn, until both rest.

    Raises:
        ModelError: a switch leaves its table, or wires that take most of the voltage.
    """
    width_m, r_ohm = array.switches.select_width_m, array.wires.r_segment_ohm
    shape = cells.state.shape
    driver_v = np.broadcast_to(line_v[:, np.newaxis], shape)
    on = np.broadcast_to(column_on, shape)
    line, free, column = driver_v.astype(float), driver_v * 0.9, np.zeros(shape)
    current, moved = np.zeros(shape), np.inf
    for _ in range(_ROUNDS):
        g, tangent = cells.conductance_s(free - column)
        through, _, by_free = table.current_a(width_m, line, free)
        own = g * (free - column)
        step = (through - own) / (tangent - by_free)
        free = free + step
        current = np.where(on, own + tangent * step, 0.0)
        drop, rise = _drops(current, r_ohm)
        moved = max(np.abs(driver_v - drop - line).max(), np.abs(rise - column).max(), np.abs(step[on]).max(initial=0))
        line, column = line + _SHARE * (driver_v - drop - line), column + _SHARE * (rise - column)
        if moved < _SETTLED_V or moved > _LOST_V:
            break
    if not moved < _SETTLED_V:
        raise ModelError(
            "the wires take too much of the voltage: what their junctions see does not settle",
            given=f"{shape[1]} columns, segments of {r_ohm:g} ohm",
            next_step="drive fewer columns at once, or give the array card shorter or thicker segments",
        )
    table.require(line[on], free[on])
    _, by_line, _ = table.current_a(width_m, line, free)
    return TernarySolution(np.where(on, column - free, 0.0), current, 1 / by_line)


def _drops(current: np.ndarray, r_ohm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what lines lose up to each junction and columns gain there, (lines, columns) each."""
    drop = r_ohm * np.cumsum(np.cumsum(current[:, ::-1], axis=1)[:, ::-1], axis=1)
    of_row = current[0::2] + current[1::2]
    rise = r_ohm * np.cumsum(np.cumsum(of_row, axis=0)[::-1], axis=0)[::-1]
    return drop, np.repeat(rise, 2, axis=0)

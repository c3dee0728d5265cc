"""What the row drivers put out: a calibrated junction's voltage, raised by what the switches in series take."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtjspice.calibration.cell import CellCoefficients
from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.switches import SwitchTable

_ITERATIONS = 50


@dataclass(frozen=True)
class CellDrive:
    """A calibrated cell of an array: `mtjspice.schedule.Drive`.

    1T1R: the junction starts at the calibrated current behind its select transistor. 1R: behind its share of the row's
    and the column's transistors, which is exact when all cells of a line carry the same current.
    """

    architecture: Architecture
    array: ArrayCard
    table: SwitchTable
    coefficients: Mapping[Direction, CellCoefficients]

    @property
    def t0_s(self) -> float:
        """Shortest pulse (eq. 6)."""
        return self.coefficients[Direction.AP_TO_P].t0_s

    @property
    def t1_s(self) -> float:
        """What |delta| = 1 adds to it."""
        return self.coefficients[Direction.AP_TO_P].t1_s

    def row_voltage_v(self, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
        """Return the signed driver levels, (rows,) V, that write with |x| in `direction`."""
        sign = direction.current_sign
        coefficients = self.coefficients[direction]
        current_a = sign * coefficients.current_a(x_abs)
        junction_v = sign * coefficients.voltage_v(x_abs)
        switches = self.array.switches
        if self.architecture is Architecture.ONE_T_ONE_R:
            return junction_v + drain_v(self.table, switches.select_width_m, current_a, np.zeros_like(current_a))
        column_v = drain_v(self.table, switches.column_width_per_cell_m, current_a, np.zeros_like(current_a))
        return drain_v(self.table, switches.row_width_per_cell_m, current_a, column_v + junction_v)


def series_resistance_ohm(table: SwitchTable, width_m: float, current_a: float) -> float:
    """Return dV/dI of a switch that carries `current_a` out of the common mode's side."""
    zero = np.zeros(1)
    return float(1 / table.current_a(width_m, drain_v(table, width_m, np.array([current_a]), zero), zero)[1][0])


def drain_v(table: SwitchTable, width_m: float, current_a: np.ndarray, source_v: np.ndarray) -> np.ndarray:
    """Return the voltage, (n,), from which a switch carries `current_a` to `source_v`; by Newton."""
    found_v = source_v.copy()
    for _ in range(_ITERATIONS):
        current, by_drain, _ = table.current_a(width_m, found_v, source_v)
        step = (current_a - current) / by_drain
        found_v += step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    table.require(found_v, source_v)
    return found_v

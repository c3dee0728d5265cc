"""Write coefficients of a cell: eqs. 8 and 9 of Mondal & Srivastava (2018) behind a series resistance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtjspice.calibration.placement import level_where
from mtjspice.cards.campaign import Targets
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.fokker_planck import switching_probabilities_in_series
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import critical_level, write_current_a, write_voltage_v


@dataclass(frozen=True)
class CellCoefficients:
    """What a cell's driver has to reach in one direction.

    Args:
        parameters: the junction.
        direction: of switching.
        t0_s: shortest pulse (eq. 6).
        t1_s: what |delta| = 1 adds to it.
        i0_a: current of the initial state at which a pulse of t0 + t1 switches with probability p0 (eq. 9).
        i1_a: what |x| = 1 adds to it: at i0 + i1 a pulse of t0 does (eq. 8).
    """

    parameters: MacrospinParameters
    direction: Direction
    t0_s: float
    t1_s: float
    i0_a: float
    i1_a: float

    def current_a(self, x_abs: np.ndarray) -> np.ndarray:
        """Return I0 + I1 |x|, the magnitude of the current in the initial state; any shape."""
        return self.i0_a + self.i1_a * x_abs

    def voltage_v(self, x_abs: np.ndarray) -> np.ndarray:
        """Return the magnitude of the voltage over the junction in its initial state; any shape."""
        return write_voltage_v(self.parameters, self.direction, self.current_a(x_abs))


def calibrate_cell(
    parameters: MacrospinParameters, targets: Targets, r_series_ohm: float
) -> dict[Direction, CellCoefficients]:
    """Return the coefficients of both directions, by Fokker-Planck.

    Raises:
        InputError: a resistance that is negative or not a number.
        ModelError: the junction is not axially symmetric, or no voltage switches it with probability p0.
    """
    return {direction: _coefficients(parameters, targets, r_series_ohm, direction) for direction in Direction}


def _coefficients(
    parameters: MacrospinParameters, targets: Targets, r_series_ohm: float, direction: Direction
) -> CellCoefficients:
    def probability(width_s: float) -> Callable[[float], float]:
        return lambda voltage_v: float(
            switching_probabilities_in_series(parameters, direction, [voltage_v], [width_s], r_series_ohm)[0, 0]
        )

    start_v = 2 * critical_level(parameters, direction, Drive.VOLTAGE)
    low_a, high_a = (
        write_current_a(parameters, direction, level_where(probability(width_s), targets.p0, start_v))
        for width_s in (targets.t0_s + targets.t1_s, targets.t0_s)
    )
    return CellCoefficients(parameters, direction, targets.t0_s, targets.t1_s, low_a, high_a - low_a)

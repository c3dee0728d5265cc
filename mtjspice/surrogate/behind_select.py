"""A 1T1R cell's junction behind its select transistor: what its driver puts out, and what the junction sees of it."""

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.model import ArrayModel

_ITERATIONS = 8
"""Of a junction's voltage behind a select resistance that is a tenth of its own."""


def select_source_v(model: ArrayModel, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
    """Return magnitudes at the far end of the select resistance that write with |x|; any shape."""
    coefficients = model.drive.coefficients[direction]
    return coefficients.voltage_v(x_abs) + model.select_ohm * coefficients.current_a(x_abs)


def junction_v(source_v: np.ndarray, r_ohm: np.ndarray | float, cells: Cells) -> np.ndarray:
    """Return the voltages over `cells` behind `r_ohm`; shapes broadcast."""
    v = source_v
    for _ in range(_ITERATIONS):
        v = source_v / (1 + r_ohm * cells.conductance_s(v)[0])
    return v

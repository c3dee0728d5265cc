"""What a read over ideal lines makes of cells: their weights in either state."""

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.read_model import ReadModel


def read_weights(model: ReadModel, cells: Cells) -> np.ndarray:
    """Return weights in AP (0) and in P (1), (2, rows, columns) float32: -1 and +1 for nominal cells.

    The sense amplifier subtracts the reference column, so that a weight is a cell's conductance against the mean of the
    two nominal ones, in units of half their difference.
    """
    g_p, g_ap = model.cell_conductances_s
    found = np.empty((2, *cells.state.shape), np.float32)
    for state in (0, 1):
        alike = cells.with_state(np.full(cells.state.shape, state))
        found[state] = (model.conductance_s(alike) - model.reference_s) / ((g_p - g_ap) / 2)
    return found

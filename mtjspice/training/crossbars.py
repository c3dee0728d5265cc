"""A network's layers as arrays of junctions, each cell with its own resistance."""

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.ideal_array import IdealArray, WriteDevice, ideal_array
from mtjspice.training.rule import Hardware


def new_array(
    hardware: Hardware, device: WriteDevice, state: np.ndarray, rng: np.random.Generator
) -> tuple[Cells, IdealArray]:
    """Return junctions in the given states, (rows, columns), that vary as the hardware's do, also for the kernels."""
    model = hardware.model
    cells = Cells.nominal(model.parameters, state, model.array.r_short_ohm)
    if hardware.variation_percent:
        cells = cells.varied(hardware.variation_percent, rng)
    return cells, ideal_array(model, device, cells)


def set_state(array: IdealArray, state: np.ndarray) -> None:
    """Put an array's cells into states, (columns, rows), as if by hand."""
    array.state[:] = state
    array.weight[:] = np.where(state == 1, array.weight_of[1], array.weight_of[0]).T

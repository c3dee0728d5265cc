"""A network's layers as arrays of junctions, each cell with its own resistance."""

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.ideal_array import IdealArray, WriteDevice, ideal_array
from mtjspice.training.rule import Hardware


def new_cells(hardware: Hardware, state: np.ndarray, rng: np.random.Generator) -> Cells:
    """Return junctions in the given states, (rows, columns), that vary as the hardware's do."""
    model = hardware.model
    cells = Cells.nominal(model.parameters, state, model.array.r_short_ohm)
    return cells.varied(hardware.variation_percent, rng) if hardware.variation_percent else cells


def new_array(
    hardware: Hardware, device: WriteDevice, state: np.ndarray, rng: np.random.Generator
) -> tuple[Cells, IdealArray]:
    """Return new junctions of 1T1R cells, and the same for the kernels."""
    cells = new_cells(hardware, state, rng)
    return cells, ideal_array(hardware.model, device, cells)


def set_state(array: IdealArray, state: np.ndarray) -> None:
    """Put an array's cells into states, (columns, rows), as if by hand."""
    array.state[:] = state
    array.weight[:] = np.where(state == 1, array.weight_of[1], array.weight_of[0]).T

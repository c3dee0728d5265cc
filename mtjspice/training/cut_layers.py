"""A layer of 1R cells on several arrays: cut along its rows, they share the inputs, and their columns' currents add up.

Arrays share no line, so that nothing sneaks from one into another. Reads take what one array's would: a backward read's
reference row, whose current does not depend on cells, serves them all. Kernels take a layer's arrays as one flat whole,
because they would be compiled anew for a tuple of every other length.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.large_flips import CellArrays, set_state
from mtjspice.surrogate.large_write import cell_arrays


class CutLayer(NamedTuple):
    """The arrays of a layer."""

    cells: CellArrays
    """(columns rows,) each: one array after the other, each of them (columns, its rows)."""
    starts: Any
    """(arrays + 1,) int64 the first row of each array, and the number of rows."""
    columns: int


def row_starts(rows: int, most: int | None) -> np.ndarray:
    """Return `CutLayer.starts` of as few arrays as there can be, nearly equal, with at most `most` rows; None: of one.

    Returns:
        (arrays + 1,) int64.
    """
    arrays = 1 if most is None else -(-rows // most)
    return np.arange(arrays + 1) * rows // arrays


def cut_layer(cells: Cells, most: int | None) -> CutLayer:
    """Return a layer's cells, (rows, columns), on arrays of at most `most` rows."""
    rows, columns = cells.state.shape
    starts = row_starts(rows, most)
    flat = (
        np.concatenate([values[:, first:end].ravel() for first, end in pairwise(starts)])
        for values in cell_arrays(cells)
    )
    return CutLayer(CellArrays(*flat), starts, columns)


@compiled()
def array_of(layer, k):  # type: ignore[no-untyped-def]
    """Return the `CellArrays` of array `k`; what changes there changes in the layer."""
    cells = layer.cells
    return CellArrays(
        _part(layer, cells.g_s, k),
        _part(layer, cells.tmr, k),
        _part(layer, cells.own_tmr, k),
        _part(layer, cells.state, k),
        _part(layer, cells.switches, k),
        _part(layer, cells.low_s, k),
        _part(layer, cells.rise_s, k),
    )


@compiled()
def _part(layer, values, k):  # type: ignore[no-untyped-def]
    first, end = layer.starts[k], layer.starts[k + 1]
    return values[first * layer.columns : end * layer.columns].reshape(layer.columns, end - first)


def states_of(layer: CutLayer) -> np.ndarray:
    """Return the states of all cells, (rows, columns), 1 parallel, 0 antiparallel."""
    return np.concatenate([array_of(layer, k).state.T for k in range(len(layer.starts) - 1)])


def set_states(layer: CutLayer, states: np.ndarray) -> None:
    """Put all cells into states, (rows, columns)."""
    for k, (first, end) in enumerate(pairwise(layer.starts)):
        set_state(array_of(layer, k), np.ascontiguousarray(states[first:end]))

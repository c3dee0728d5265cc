"""Speed of writes on an array of the size of an MNIST layer, 784 x 100 cells in random states.

Milliseconds are the process's own CPU time, the best of a few repeats. Run it with OPENBLAS_NUM_THREADS=1: threads of
BLAS would all count, and on matrices of this size they wait for each other for longer than they work.
"""

from typing import Any

import numpy as np

from benchmarks._entry import entry
from benchmarks._timing import best_of
from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.junction import load_card
from mtjspice.crossbar.cells import Cells
from mtjspice.jobs.progress import progress
from mtjspice.surrogate.large_write import LargeWriter, cell_arrays, large_device, write_cells
from mtjspice.surrogate.model import ArrayModel, array_model

_ROWS, _COLUMNS = 784, 100
_INK = 0.19
"""Share of pixels that are not zero."""


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    size = f"{_ROWS} x {_COLUMNS}"
    return [
        entry(f"4-phase write {size}, all events", 1e3 * write_s(Architecture.ONE_R, 4), "ms", "at most", 5),
        entry(f"4-phase write {size}, mean field, kernel alone", 1e3 * kernel_s(), "ms", "at most", 0.5),
        entry(f"2-phase write {size}, 1T1R", 1e3 * write_s(Architecture.ONE_T_ONE_R, 2), "ms", "at most", 5),
    ]


def write_s(architecture: Architecture, phases: int) -> float:
    """Return the CPU time of one write of an image's inputs and of errors of either sign."""
    model, cells, x, delta, rng = _problem(architecture)
    writer = LargeWriter(model)
    return best_of(lambda: writer.write(x, delta, phases, cells, rng), repeats=40)


def kernel_s() -> float:
    """Return the CPU time of one such write in four phases by the mean field, as a training kernel does it."""
    model, cells, x, delta, rng = _problem(Architecture.ONE_R)
    device, arrays = large_device(model, cells), cell_arrays(cells)
    return best_of(lambda: write_cells(rng, device, arrays, x, delta, 4, True, False), repeats=40)


def _problem(architecture: Architecture) -> tuple[ArrayModel, Cells, np.ndarray, np.ndarray, np.random.Generator]:
    """Return a model, cells in random states, inputs, errors and what decides which cells flip."""
    model = array_model(
        architecture, load_card("mondal2018"), load_array("array45"), load_campaign("table3").targets, progress=progress
    )
    rng = np.random.default_rng(1)
    cells = Cells.nominal(model.parameters, rng.integers(0, 2, (_ROWS, _COLUMNS)), model.array.r_short_ohm)
    # Brightness as of ink, 0.67 on average.
    x = np.where(rng.random(_ROWS) < _INK, np.sqrt(rng.random(_ROWS)), 0.0)
    return model, cells, x, rng.uniform(-1, 1, _COLUMNS), rng

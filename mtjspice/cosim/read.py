"""Reads in SPICE beside the exact network: operating points with junctions that keep their states."""

import tempfile
from pathlib import Path

import numpy as np

from mtjspice.cosim.spice_write import place_library
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation
from mtjspice.files import writing
from mtjspice.netlist.render import render_crossbar
from mtjspice.schedule import read_schedule
from mtjspice.spice.crossbar_decks import read_context
from mtjspice.spice.ngspice import run_points
from mtjspice.surrogate.model import ArrayModel

_TIME_LIMIT_S = 300.0


def spice_read(model: ArrayModel, cells: Cells, x: np.ndarray) -> np.ndarray:
    """Return the columns' currents, (columns,), of a read of `x`, by ngspice.

    Raises:
        NgspiceMissingError, SimulationError: ngspice is missing, or finds no operating point.
        InputError: inputs out of range or of another length, or an unusable transistor library.
    """
    columns = cells.state.shape[1]
    schedule = read_schedule(x, columns, model.architecture, model.array)
    deck = render_crossbar(read_context(schedule, cells, model.device, title="One read"))
    scratch = Path(tempfile.gettempdir(), "the simulation's scratch files")
    with writing(scratch), tempfile.TemporaryDirectory(prefix="mtjspice-") as name:
        place_library(model.array, Path(name))
        point = run_points(deck, Path(name), points=1, time_limit_s=_TIME_LIMIT_S)
    return np.array([point[f"i(vsense{j + 1})"][0] for j in range(columns)])


def read_errors(model: ArrayModel, cells: Cells, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return relative errors of the network's currents: of a read of `x`, (columns,), and cell by cell.

    The second array is (rows, columns): a cell's current is its column's when its row alone is driven. Errors are
    relative to the largest current of the read, and of the cell's row.
    """
    rows, columns = cells.state.shape
    network = Network(model.architecture, model.array, (rows, columns), model.table)

    def error(inputs: np.ndarray) -> np.ndarray:
        phase = read_schedule(inputs, columns, model.architecture, model.array).phases[0]
        ours = network.solve(cells, Operation(phase.row_v, phase.row_on, phase.column_on_s > 0)).i_column_a
        theirs = spice_read(model, cells, inputs)
        return np.asarray((ours - theirs) / max(np.abs(theirs).max(), 1e-12))

    return error(x), np.array([error(one) for one in np.eye(rows)])

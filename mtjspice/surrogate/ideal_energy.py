"""What a read of an array with ideal lines takes, and a write of a 1T1R one, in the states that its cells are in."""

import numpy as np

from mtjspice.schedule import read_phase
from mtjspice.surrogate.array import energy_of_read_j
from mtjspice.surrogate.ideal_array import IdealArray, WriteDevice
from mtjspice.surrogate.model import ArrayModel


def read_energy_j(model: ArrayModel, weight: np.ndarray, x: np.ndarray) -> float:
    """Return the energy of reading inputs `x`, (rows,), with the reference column, transistors' gates included.

    Args:
        model: of the array.
        weight: (rows, columns) as a read sees it; of a transposed read, its transpose.
        x: what drives the rows, -1 to 1.
    """
    g_p, g_ap = model.cell_conductances_s
    columns = weight.shape[1]
    phase = read_phase(x, columns, model.array, 0.0)
    g_row_s = weight.sum(axis=1) * (g_p - g_ap) / 2 + columns * model.reference_s
    return energy_of_read_j(model, phase, phase.row_v * g_row_s)


def write_energy_j(
    model: ArrayModel, device: WriteDevice, array: IdealArray, x: np.ndarray, delta: np.ndarray
) -> float:
    """Return the energy of writing `x`, (rows,), and `delta`, (columns,), in two phases, while no cell flips."""
    rows, columns = np.flatnonzero(x), np.flatnonzero(delta)
    if not rows.size or not columns.size:
        return 0.0
    levels = np.linspace(0, 1, device.source_v.shape[1])
    source_v = np.array([np.interp(np.abs(x[rows]), levels, of_state) for of_state in device.source_v])
    # Out of P where x delta > 0 (Table 1). Cells in the other state see the level too.
    leaves = (np.sign(x[rows]) * np.sign(delta[columns])[:, None] > 0).astype(int)
    v = np.where(leaves == 1, source_v[1], source_v[0])
    cells = np.ix_(columns, rows)
    g_s, tmr = array.g_s[cells].astype(float), np.where(array.state[cells] == 1, 0.0, array.tmr0[cells])
    own_s = g_s
    for _ in range(4):
        junction_v = v / (1 + model.select_ohm * own_s)
        own_s = g_s / (1 + tmr / (1 + (junction_v / model.parameters.v_h_v) ** 2))
    t_s = model.drive.t0_s + model.drive.t1_s * np.abs(delta[columns])
    power_w = v**2 * own_s / (1 + model.select_ohm * own_s)
    width_m = model.array.switches.select_width_m * len(x) * len(columns)
    return float(power_w.sum(axis=1) @ t_s) + model.table.cycle_j_per_m * width_m

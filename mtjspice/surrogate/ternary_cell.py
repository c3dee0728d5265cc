"""A calibrated junction in an array of ternary synapses: what its line puts out, and how likely a pulse switches it."""

from dataclasses import dataclass

import numpy as np

from mtjspice.calibration.drive import drain_v
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.ternary_lines import TernarySolution, solve_ternary
from mtjspice.schedule import Phase, Schedule
from mtjspice.surrogate.model import ArrayModel
from mtjspice.ternary_schedule import LineLevels


@dataclass(frozen=True)
class ExpectedUpdate:
    """What an update does on the surrogate, (lines, columns) each.

    Args:
        probability: that the junction switches in its row's update.
        v_junction_v: magnitude over the junction while it is driven; 0 of those that are not.
        width_s: of its pulse.
        energy_j: of all lines and gates together, while no junction switches.
    """

    probability: np.ndarray
    v_junction_v: np.ndarray
    width_s: np.ndarray
    energy_j: float


def line_levels(model: ArrayModel, level: float) -> LineLevels:
    """Return what lines put out so that a junction starts at I0 + I1 `level` of the calibrated cell, 1T1R.

    The switch stands on the side of the line, where it conducts otherwise than in a 1T1R cell, so lines make up for
    what it takes there.

    Raises:
        ModelError: a switch leaves its table.
    """
    found = {}
    for direction in Direction:
        coefficients = model.drive.coefficients[direction]
        # The free side is driven, so signs are the opposite of a 1T1R row's.
        sign = -direction.current_sign
        current_a = sign * coefficients.current_a(np.array([level]))
        free_v = sign * coefficients.voltage_v(np.array([level]))
        found[direction] = float(drain_v(model.table, model.array.switches.select_width_m, current_a, free_v)[0])
    return found


def expected_update(model: ArrayModel, schedule: Schedule, cells: Cells) -> ExpectedUpdate:
    """Return the probabilities of an update, each junction at the voltage that it sees when its phase begins.

    Raises:
        ModelError: a voltage or a width outside the switching surface.
    """
    shape = cells.state.shape
    probability, volts, widths = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    energy_j = 0.0
    for phase in schedule.phases:
        found = solution(model, cells, phase)
        driven = (phase.row_v != 0)[:, np.newaxis] & (phase.column_on_s > 0)
        width_s = np.broadcast_to(phase.column_on_s, shape)
        for direction in Direction:
            # Out of its own state only: a junction that is where its pulse drives it stays.
            leaves = driven & (cells.state == (direction is Direction.P_TO_AP))
            leaves &= np.sign(found.v_junction_v) == direction.current_sign
            probability[leaves] = model.surfaces[direction].at(
                np.abs(found.v_junction_v[leaves]), width_s[leaves], found.r_series_ohm[leaves]
            )
        volts[driven] = np.abs(found.v_junction_v[driven])
        widths[driven] = width_s[driven]
        energy_j += float((phase.row_v[:, np.newaxis] * found.i_junction_a * width_s).sum())
        energy_j += gates_j(model, phase)
    return ExpectedUpdate(probability, volts, widths, energy_j)


def solution(model: ArrayModel, cells: Cells, phase: Phase) -> TernarySolution:
    """Return the currents as a phase begins; raises as `solve_ternary` does."""
    return solve_ternary(model.array, model.table, cells, phase.row_v, phase.column_on_s > 0)


def gates_j(model: ArrayModel, phase: Phase) -> float:
    """Return what switching on and off the gates of a phase's columns takes."""
    switches = len(phase.row_v) * int((phase.column_on_s > 0).sum())
    return model.table.cycle_j_per_m * model.array.switches.select_width_m * switches


def ideal_weights_current_a(model: ArrayModel, state: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return x v_read (G_M1 - G_M2), (rows, columns) A, with a read's conductances: lines and switches are linear.

    Args:
        state: (lines, columns), 1 parallel.
        x: (rows,) inputs.
    """
    g_p, g_ap = model.cell_conductances_s
    g_s = np.where(state == 1, g_p, g_ap)
    return np.asarray(x[:, np.newaxis] * model.array.read.v_read_v * (g_s[0::2] - g_s[1::2]))

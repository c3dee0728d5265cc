"""A write on an array of up to 32 x 32 cells, event by event.

Between events the network is constant: its exact solution gives every junction's voltage and the resistance that it
sees. Events are columns that switch off and junctions that flip; after each of them the network is solved anew, and the
junctions go on from what they went through (`surrogate.history`).
"""

from dataclasses import dataclass

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation, Solution
from mtjspice.schedule import Phase, Schedule
from mtjspice.surrogate.history import History
from mtjspice.surrogate.model import ArrayModel

LARGEST_SIDE = 32
RISE_SHARE = 7 / 24
"""Of an edge's time at full power: a switch closes in the middle of the edge, on which the voltage is linear;
the integral of s^2 from 1/2 to 1."""


@dataclass(frozen=True)
class WriteOutcome:
    """What a write did.

    Args:
        state: (rows, columns) afterwards.
        flips: (rows, columns) how often each cell changed.
        energy_j: drawn from all sources.
        duration_s: of the schedule.
    """

    state: np.ndarray
    flips: np.ndarray
    energy_j: float
    duration_s: float


class ExactWriter:
    """Writes on one array; solutions of the network are kept, because most runs go through the same ones."""

    def __init__(self, model: ArrayModel, shape: tuple[int, int]) -> None:
        self._model = model
        self._network = Network(model.architecture, model.array, shape, model.table)
        self._known: dict[tuple[bytes, ...], Solution] = {}

    def write(self, schedule: Schedule, cells: Cells, rng: np.random.Generator) -> WriteOutcome:
        """Return the outcome of the schedule's phases on `cells`.

        Raises:
            ModelError: a junction's voltage outside the surface, or a switch's outside its table.
        """
        history = History(self._model, cells, rng)
        energy_j = 0.0
        for phase in schedule.phases:
            energy_j += self._phase(phase, history)
            history.rest(schedule.gap_s)
        return WriteOutcome(history.cells.state, history.flips, energy_j + history.excess_j, schedule.stop_s)

    def _phase(self, phase: Phase, history: History) -> float:
        """Advance `history` by one phase and return the energy drawn."""
        model = self._model
        edge_s = model.array.timing.edge_s
        energy_j = gate_energy_j(model, phase)
        if not phase.row_v.any():
            history.rest(phase.duration_s)
            return energy_j
        now_s, first = 0.0, True
        lines_v = np.zeros(sum(history.cells.state.shape))
        while now_s < phase.duration_s * (1 - 1e-12):
            solution = self.solution(history.cells, phase, now_s)
            power_w = float(phase.row_v @ solution.i_row_a)
            before_v, lines_v = lines_v, np.concatenate((solution.v_row_v, solution.v_column_v))
            energy_j += charging_j(model, phase, now_s, before_v, lines_v)
            if first:
                energy_j -= (0.5 - RISE_SHARE) * edge_s * power_w
                first = False
            later = phase.column_on_s[phase.column_on_s > now_s]
            ends_s = min(phase.duration_s, float(later.min(initial=np.inf)))
            passed_s = history.advance(solution, ends_s - now_s)
            energy_j += power_w * passed_s
            now_s = ends_s if passed_s == ends_s - now_s else now_s + passed_s
        return energy_j

    def solution(self, cells: Cells, phase: Phase, now_s: float) -> Solution:
        """Return the network's solution at `now_s` from the phase's start."""
        operation = Operation(phase.row_v, phase.row_on, phase.column_on_s > now_s)
        key = (
            cells.state.tobytes(),
            operation.row_v.tobytes(),
            operation.row_on.tobytes(),
            operation.column_on.tobytes(),
        )
        if key not in self._known:
            self._known[key] = self._network.solve(cells, operation, thevenin=True)
        return self._known[key]


def charging_j(model: ArrayModel, phase: Phase, now_s: float, before_v: np.ndarray, after_v: np.ndarray) -> float:
    """Return what charges the floating lines of a 1R array when their voltages change.

    What a line takes comes from the drivers in the shares by which they determine its voltage, so that they pay
    C V_after (V_after - V_before) together. At the phase's end nothing comes back: edges count as steps.

    Args:
        before_v, after_v: (rows + columns,) of all lines.
    """
    if model.architecture is Architecture.ONE_T_ONE_R:
        return 0.0
    rows, columns = len(phase.row_v), len(phase.column_on_s)
    switches, wire_f, off_f_per_m = model.array.switches, model.array.wires.c_segment_f, model.table.off_f_per_m
    row_f = columns * (wire_f + off_f_per_m * switches.row_width_per_cell_m)
    column_f = rows * (wire_f + off_f_per_m * switches.column_width_per_cell_m)
    line_f = np.concatenate((row_f * ~phase.row_on, column_f * (phase.column_on_s <= now_s)))
    return float(line_f @ (after_v * (after_v - before_v)))


def gate_energy_j(model: ArrayModel, phase: Phase) -> float:
    """Return what the gates of a phase cost: one cycle of every transistor that is switched on and off."""
    switches, table = model.array.switches, model.table
    rows, columns = len(phase.row_v), len(phase.column_on_s)
    selected = int((phase.column_on_s > 0).sum())
    if model.architecture is Architecture.ONE_T_ONE_R:
        width_m = switches.select_width_m * rows * selected
    else:
        width_m = switches.column_width_per_cell_m * rows * selected
        width_m += switches.row_width_per_cell_m * columns * int(phase.row_on.sum())
    return table.cycle_j_per_m * width_m

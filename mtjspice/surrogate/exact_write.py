"""A write on an array of up to 32 x 32 cells, event by event.

Between events the network is constant: its exact solution gives every junction's voltage and the resistance that it
sees, and the cell's surface its probability. Events are columns that switch off and junctions that flip; after each of
them the network is solved anew. A junction flips when its probability passes a number drawn for it. What it went
through before counts as a head start (`junction.memory`); one that has just flipped goes on turning, and is easily
turned back (`junction.turning`).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import ncx2

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation, Solution
from mtjspice.junction.memory import NO_LAG, depth_at, head_start_s, lag_of, relaxation_rate_per_s, spread_after
from mtjspice.junction.turning import turn
from mtjspice.schedule import Phase, Schedule
from mtjspice.surrogate.model import ArrayModel

LARGEST_SIDE = 32
_BY_STATE = (Direction.AP_TO_P, Direction.P_TO_AP)
"""The direction in which a cell of state 0, of state 1, leaves it."""
_DETERMINISTIC_KT, _THERMAL_KT = 18.0, 1.0
"""Energies above the well: beyond the first noise means little to a turning junction, below the second all."""
_RISE_SHARE = 7 / 24
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
        history = _History(self._model, cells, rng)
        energy_j = 0.0
        for phase in schedule.phases:
            energy_j += self._phase(phase, history)
            history.rest(schedule.gap_s)
        return WriteOutcome(history.cells.state, history.flips, energy_j, schedule.stop_s)

    def _phase(self, phase: Phase, history: "_History") -> float:
        """Advance `history` by one phase and return the energy drawn."""
        model = self._model
        edge_s = model.array.timing.edge_s
        energy_j = gate_energy_j(model, phase)
        if not phase.row_v.any():
            history.rest(phase.duration_s)
            return energy_j
        now_s, first = 0.0, True
        while now_s < phase.duration_s * (1 - 1e-12):
            solution = self.solution(history.cells, phase, now_s)
            power_w = float(phase.row_v @ solution.i_row_a)
            if first:
                energy_j -= (0.5 - _RISE_SHARE) * edge_s * power_w
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


class _History:
    """States, and what each junction remembers: its spread within its well, or where it is turning after a flip."""

    def __init__(self, model: ArrayModel, cells: Cells, rng: np.random.Generator) -> None:
        shape = cells.state.shape
        self.cells = cells
        self.flips = np.zeros(shape, dtype=int)
        self._model, self._rng = model, rng
        self._spread = np.ones(shape)
        self._depth = rng.exponential(size=shape)
        self._lag = np.full(shape, NO_LAG)
        self._turning_mz = np.full(shape, np.nan)

    def rest(self, t_s: float) -> None:
        """Let `t_s` pass without a voltage."""
        zero = np.zeros(self.cells.state.shape)
        self._spread = spread_after(self._spread, zero, self._rates(), t_s)
        for place in self._turning():
            self._turn(place, 0.0, 0.0, t_s)

    def advance(self, solution: Solution, longest_s: float) -> float:
        """Let `longest_s` pass, or the time to the first flip; return what passed."""
        cells, model = self.cells, self._model
        assert solution.r_series_ohm is not None
        ratio = self._ratio(solution)
        for place in self._turning():
            self._settle(place, ratio[place])
        turning = ~np.isnan(self._turning_mz)
        turned_s = np.full(ratio.shape, np.inf)
        pushed = []
        for direction, state in ((Direction.P_TO_AP, 1), (Direction.AP_TO_P, 0)):
            driven = cells.switches & (cells.state == state) & (ratio > 0) & ~turning
            if driven.any():
                surface = model.surfaces[direction]
                volts, ohms = nominal_equivalent(model, cells, direction, solution, driven)
                started_s = head_start_s(self._spread[driven], ratio[driven], self._rates()[driven])
                started_s = np.minimum(started_s, surface.widths_s[-1])
                self._depth[driven] = depth_at(
                    self._depth[driven], self._lag[driven], lag_of(surface.at(volts, started_s, ohms))
                )
                reached_s = surface.time_s(volts, np.exp(-self._depth[driven]), ohms)
                turned_s[driven] = np.maximum(reached_s - started_s, 0.0)
                pushed.append((surface, driven, volts, ohms, started_s))
        for place in self._turning():
            turned_s[place] = turn(
                model.parameters,
                float(self._turning_mz[place]),
                float(solution.v_junction_v[place]),
                float(solution.r_series_ohm[place]),
                longest_s,
            )[1]
        first = np.unravel_index(int(np.argmin(turned_s)), ratio.shape)
        flips = bool(turned_s[first] < longest_s)
        passed_s = float(turned_s[first]) if flips else longest_s
        self._spread = spread_after(self._spread, ratio, self._rates(), passed_s)
        for surface, driven, volts, ohms, started_s in pushed:
            until_s = np.minimum(started_s + passed_s, surface.widths_s[-1])
            self._lag[driven] = lag_of(surface.at(volts, until_s, ohms))
        # Driven back into its well a junction forgets how far out it was among its kind.
        back = (ratio < 0) & cells.switches
        self._depth[back] = self._rng.exponential(size=int(back.sum()))
        self._lag[back] = NO_LAG
        for place in self._turning():
            v, r = float(solution.v_junction_v[place]), float(solution.r_series_ohm[place])
            self._turn(place, v, r, passed_s)
        if flips:
            self._flip(first)
        return passed_s

    def _ratio(self, solution: Solution) -> np.ndarray:
        """Return I/I_c0 of each cell, positive where it drives out of the cell's state."""
        out = np.where(self.cells.state == 1, 1.0, -1.0)
        critical_a = self._by_state(*(self._model.parameters.critical_current_a(d) for d in _BY_STATE))
        return np.where(self.cells.switches, out * solution.i_cell_a / critical_a, 0.0)

    def _rates(self) -> np.ndarray:
        return self._by_state(*(relaxation_rate_per_s(self._model.parameters, d) for d in _BY_STATE))

    def _by_state(self, antiparallel: float, parallel: float) -> np.ndarray:
        return np.where(self.cells.state == 1, parallel, antiparallel)

    def _turning(self) -> list[tuple[int, int]]:
        return [(row, column) for row, column in np.argwhere(~np.isnan(self._turning_mz)).tolist()]

    def _turn(self, place: tuple[int, int], v_v: float, r_ohm: float, t_s: float) -> None:
        self._turning_mz[place] = turn(self._model.parameters, float(self._turning_mz[place]), v_v, r_ohm, t_s)[0]

    def _settle(self, place: tuple[int, int], ratio: float) -> None:
        """End the turning of a junction that has come near its pole, or is driven out again from not far off.

        Out of its well it then takes a start that much ahead: with the squared angle exponentially distributed around
        zero, P is exp(-b^2/2) for the threshold b in units of the thermal angle; around an angle a it is Marcum's Q1(a,
        b). So the number drawn for it is mapped from one to the other. Angles are measured by energy, a^2 = 2 E/kT, and
        less by (i - 1)/i, as the noise during the pulse spreads the angle by i/(i - 1) more than it grows.
        """
        parameters = self._model.parameters
        well = _BY_STATE[int(self.cells.state[place])].initial_mz
        energy = parameters.energy_over_kt(float(self._turning_mz[place])) - parameters.energy_over_kt(float(well))
        if ratio > 1 and energy < _DETERMINISTIC_KT:
            ahead = 2 * energy * (ratio - 1) / ratio
            self._depth[place] = ncx2.isf(np.exp(-self._depth[place]), 2, ahead) / 2
            self._turning_mz[place], self._spread[place] = np.nan, 1.0
        elif energy < _THERMAL_KT:
            self._turning_mz[place], self._spread[place] = np.nan, 1.0

    def _flip(self, place: tuple[np.intp, ...]) -> None:
        state = self.cells.state.copy()
        state[place] = 1 - state[place]
        self.cells = self.cells.with_state(state)
        self.flips[place] += 1
        self._turning_mz[place] = self._model.parameters.saddle_mz
        self._depth[place] = self._rng.exponential()
        self._lag[place] = NO_LAG


def nominal_equivalent(
    model: ArrayModel, cells: Cells, direction: Direction, solution: Solution, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return voltages, (n,), and series resistances at which the nominal junction is driven as the chosen cells are.

    A cell whose resistance differs carries another current at its voltage; the nominal junction carries that at a
    voltage in the ratio of the resistances, and sees a series resistance in the same ratio.
    """
    v = solution.v_junction_v
    assert solution.r_series_ohm is not None
    own, _ = cells.conductance_s(v)
    nominal_cells = Cells.nominal(model.parameters, cells.state, cells.r_short_ohm)
    nominal, _ = nominal_cells.conductance_s(v)
    ratio = (own / nominal)[chosen]
    return np.abs(v[chosen]) * ratio, np.maximum(solution.r_series_ohm[chosen], 0.0) * ratio


def gate_energy_j(model: ArrayModel, phase: Phase) -> float:
    """Return what the gates of a phase cost: one cycle of every transistor that is switched on and off."""
    switches, table = model.array.switches, model.table
    rows, columns = len(phase.row_v), len(phase.column_on_s)
    selected = int((phase.column_on_s > 0).sum())
    if model.architecture is Architecture.ONE_T_ONE_R:
        width_m = switches.select_width_m * rows * selected
    else:
        line_m = switches.line_width_per_cell_m
        width_m = line_m * (rows * selected + columns * int(phase.row_on.sum()))
    return table.cycle_j_per_m * width_m

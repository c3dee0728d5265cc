"""A write on an array that is too large for the exact network, 784 x 100 for example, with all of its events.

Beside `exact_write` this leaves out wires and line switches (lines are ideal, at their junctions' calibrated levels, and
a 1T1R cell sees its row's behind the select resistance), what a junction remembers of the phase before, and the energy
of junctions on their way. A cell flips once a phase at most. Cells that flip while they are selected change the network
when their column switches off, others when the phase ends; it is not solved anew for each of them.
"""

from dataclasses import dataclass

import numpy as np

from mtjspice.calibration.drive import CellDrive
from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.errors import ModelError, SimulationError
from mtjspice.junction.memory import relaxation_rate_per_s
from mtjspice.schedule import Phase, write_schedule
from mtjspice.surrogate.exact_write import WriteOutcome, gate_energy_j
from mtjspice.surrogate.large_flips import CellArrays, Junction, PhaseLines, false_flips, selected_flips
from mtjspice.surrogate.large_lines import FARTHEST_V, Lines, line_voltages
from mtjspice.surrogate.model import ArrayModel

_KNOTS = np.linspace(0, 1, 2049)
"""Of |x|, between which levels are linear; good to a microvolt."""
_RISE_SHARE = 7 / 24
"""As in `exact_write`."""


@dataclass(frozen=True)
class _Levels:
    """`mtjspice.schedule.Drive` from tables: `CellDrive` solves for every level, which takes longer than a write."""

    t0_s: float
    t1_s: float
    by_direction: dict[Direction, np.ndarray]

    def row_voltage_v(self, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
        """Return signed levels, (rows,) V."""
        return np.interp(x_abs, _KNOTS, self.by_direction[direction])


class LargeWriter:
    """Writes on one array of any size.

    Args:
        model: the array's.
    """

    def __init__(self, model: ArrayModel) -> None:
        self._model = model
        drive = model.drive
        # Currents count as power by the drivers' levels, compensated for line switches that are otherwise left out.
        self._source_levels = _levels(drive, {d: drive.row_voltage_v(d, _KNOTS) for d in Direction})
        self._junction_levels = _levels(
            drive, {d: d.current_sign * drive.coefficients[d].voltage_v(_KNOTS) for d in Direction}
        )
        self._select_ohm = model.select_ohm
        self._known: tuple[Cells, np.ndarray, np.ndarray, np.ndarray, Junction] | None = None

    def write(
        self, x: np.ndarray, delta: np.ndarray, phases: int, cells: Cells, rng: np.random.Generator
    ) -> WriteOutcome:
        """Return the outcome of writing inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1].

        Raises:
            InputError: as `mtjspice.schedule.write_schedule`.
            ModelError: a voltage outside the surface.
            SimulationError: floating lines whose voltages do not converge.
        """
        model = self._model
        schedule, sources = (
            write_schedule(x, delta, levels, model.architecture, model.array, phases)
            for levels in (self._junction_levels, self._source_levels)
        )
        junction, arrays = self._arrays(cells)
        flips = np.zeros(arrays.state.shape, dtype=np.uint8)
        energy_j = 0.0
        for phase, source in zip(schedule.phases, sources.phases, strict=True):
            energy_j += gate_energy_j(model, phase)
            if phase.row_v.any():
                before = arrays.state.copy()
                energy_j += self._phase(phase, source.row_v, junction, arrays, rng)
                flips += before != arrays.state
        return WriteOutcome(arrays.state.T.copy(), flips.T.astype(int), energy_j, schedule.stop_s)

    def lines(self, phase: Phase, source_v: np.ndarray, cells: Cells) -> tuple[np.ndarray, Lines]:
        """Return the events of a 1R phase, (events + 1,) s with its end, and all lines' voltages if no cell flips.

        Args:
            phase: with junction levels.
            source_v: (rows,) driver levels.
            cells: (rows, columns).

        Raises:
            SimulationError: as `write`.
        """
        return self._lines(phase, source_v, self._arrays(cells)[1])

    def _phase(
        self, phase: Phase, source_v: np.ndarray, junction: Junction, arrays: CellArrays, rng: np.random.Generator
    ) -> float:
        """Flip the cells of `arrays` in one phase and return the energy drawn."""
        one_r = self._model.architecture is Architecture.ONE_R
        floats = ~phase.row_on if one_r else np.zeros(len(phase.row_v), dtype=bool)
        given = PhaseLines(
            phase.row_v, source_v, floats, phase.column_on_s, phase.duration_s, 0.0 if one_r else self._select_ohm
        )
        try:
            energy_j, power_w, places, drawn = selected_flips(rng, junction, arrays, given)
            if one_r:
                starts_s, lines = self._lines(phase, source_v, arrays)
                energy_j += float(lines.power_w @ np.diff(starts_s))
                power_w += lines.power_w[0]
                found = false_flips(rng, junction, arrays, given, lines, starts_s, places, drawn)
                arrays.state[found[:, 1], found[:, 0]] ^= 1
        except ValueError as error:
            highest_v = min(float(tables.voltage.knots[-1]) for tables in junction.tables)
            raise ModelError(
                "a junction's voltage lies outside the switching surface",
                where=f"phase {phase.name}",
                allowed=f"up to {highest_v:.4g} V",
                next_step="make a surface over a wider range; nothing is extrapolated",
            ) from error
        return float(energy_j - (0.5 - _RISE_SHARE) * self._model.array.timing.edge_s * power_w)

    def _lines(self, phase: Phase, source_v: np.ndarray, arrays: CellArrays) -> tuple[np.ndarray, Lines]:
        on_s = phase.column_on_s
        order = np.argsort(on_s, kind="stable")
        ends = np.unique(on_s)
        starts_s = np.append(0.0, ends[(ends > 0) & (ends < phase.duration_s * (1 - 1e-12))])
        floating = np.searchsorted(on_s[order], starts_s, side="right")
        tmr = np.where(arrays.state == 1, np.float32(0), arrays.tmr)
        lines = line_voltages(
            arrays.g_s, tmr, self._model.parameters.v_h_v, phase.row_v, source_v, ~phase.row_on, order, floating
        )
        if not lines.farthest_v.max() <= FARTHEST_V:
            raise SimulationError(
                "the voltages of floating lines did not converge",
                where=f"phase {phase.name}",
                next_step="check the conductances of the cells",
            )
        return np.append(starts_s, phase.duration_s), lines

    def _arrays(self, cells: Cells) -> tuple[Junction, CellArrays]:
        """Return cells as the kernels take them; what does not change between writes is kept."""
        known = self._known
        if known is None or any(
            getattr(known[0], name) is not getattr(cells, name) for name in ("r_p_ohm", "tmr0", "defect")
        ):
            linear = (cells.defect == Defect.OPEN) | (cells.defect == Defect.SHORT)
            g_s = np.where(cells.defect == Defect.SHORT, 1 / cells.r_short_ohm, 1 / cells.r_p_ohm)
            g_s = np.where(cells.defect == Defect.OPEN, 0.0, g_s)
            tmr = np.where(linear, 0.0, cells.tmr0)
            g_s, tmr, switches = (
                np.ascontiguousarray(values.T, dtype=kind)
                for values, kind in ((g_s, np.float32), (tmr, np.float32), (cells.switches, np.bool_))
            )
            known = self._known = (cells, g_s, tmr, switches, self._junction(cells))
        _, g_s, tmr, switches, junction = known
        return junction, CellArrays(g_s, tmr, np.array(cells.state.T, dtype=np.uint8, order="C"), switches)

    def _junction(self, cells: Cells) -> Junction:
        parameters = self._model.parameters
        by_state = (Direction.AP_TO_P, Direction.P_TO_AP)
        # The ratio of two cells in AP is monotone in the voltage: largest without one, or at one that leaves no TMR.
        parallel = parameters.r_p_ohm / cells.r_p_ohm[cells.switches]
        antiparallel = parallel * (1 + parameters.tmr0) / (1 + cells.tmr0[cells.switches])
        highest = float(parallel.max(initial=1.0))
        return Junction(
            tables=tuple(self._model.surfaces[direction].tables for direction in by_state),
            g_s=1 / parameters.r_p_ohm,
            tmr=parameters.tmr0,
            v_h_v=parameters.v_h_v,
            critical_a=np.array([parameters.critical_current_a(direction) for direction in by_state]),
            rate_per_s=np.array([relaxation_rate_per_s(parameters, direction) for direction in by_state]),
            saddle=parameters.saddle_mz,
            tau_d_s=parameters.tau_d_s,
            strength=-parameters.torque_t_per_a / (parameters.alpha * parameters.b_k_t),
            asymmetry=parameters.asymmetry,
            stability_kt=parameters.delta,
            excess=np.array([max(highest, float(antiparallel.max(initial=1.0))), highest]),
        )


def _levels(drive: CellDrive, by_direction: dict[Direction, np.ndarray]) -> _Levels:
    return _Levels(drive.t0_s, drive.t1_s, by_direction)

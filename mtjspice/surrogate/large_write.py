"""A write on an array that is too large for the exact network, 784 x 100 for example, with all of its events.

Lines are ideal, at their junctions' calibrated levels, and a 1T1R cell sees its row's behind the select resistance:
wires and line switches are left out. So are what a junction remembers of the phase before, and the energy of junctions
on their way. Cells that flip while they are selected change the network when their column switches off, others when the
phase ends; it is not solved anew for each of them. This is close where few others flip, as in 1T1R and in four phases.
With two phases on 1R most cells are at risk, and their flips are overstated by a fifth. A phase right after one of the
other sign finds cells cooled: with inputs of both signs, flips from AP to P on 1R are overstated by 14 %.
"""

from dataclasses import dataclass

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.errors import InputError, ModelError, SimulationError
from mtjspice.junction.memory import relaxation_rate_per_s
from mtjspice.schedule import Phase, write_schedule
from mtjspice.surrogate.exact_write import RISE_SHARE, WriteOutcome, gate_energy_j
from mtjspice.surrogate.large_flips import (
    BeyondSurfaceError,
    CellArrays,
    Junction,
    PhaseLines,
    false_flips,
    flip,
    selected_flips,
)
from mtjspice.surrogate.large_lines import FARTHEST_V, Lines, line_voltages
from mtjspice.surrogate.model import ArrayModel
from mtjspice.switching.cell_kernels import Tables

_KNOTS = np.linspace(0, 1, 2049)
"""Of |x|, between which levels are linear; good to a microvolt."""

_Directions = tuple[tuple[Tables, Junction], ...]


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
        levels = {d: d.current_sign * drive.coefficients[d].voltage_v(_KNOTS) for d in Direction}
        self._levels = _Levels(drive.t0_s, drive.t1_s, levels)
        # Currents count as power by the drivers' levels, compensated for line switches that are otherwise left out.
        known = [(levels[d], drive.row_voltage_v(d, _KNOTS)) for d in Direction]
        order = np.argsort(junction_v := np.concatenate([[0.0], *(level for level, _ in known)]))
        self._source_of = junction_v[order], np.concatenate([[0.0], *(source for _, source in known)])[order]
        self._select_ohm = model.select_ohm
        self._known: tuple[Cells, np.ndarray, np.ndarray, np.ndarray, _Directions] | None = None

    def write(
        self, x: np.ndarray, delta: np.ndarray, phases: int, cells: Cells, rng: np.random.Generator
    ) -> WriteOutcome:
        """Return the outcome of writing inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1].

        Raises:
            InputError: as `mtjspice.schedule.write_schedule`, or vectors that do not fit the cells.
            ModelError: a voltage outside the surface.
            SimulationError: floating lines whose voltages do not converge.
        """
        model = self._model
        schedule = write_schedule(x, delta, self._levels, model.architecture, model.array, phases)
        if schedule.shape != cells.state.shape:
            raise InputError(
                "inputs and errors do not fit the array",
                given=f"{schedule.shape[0]} inputs and {schedule.shape[1]} errors",
                allowed=f"{cells.state.shape[0]} rows and {cells.state.shape[1]} columns",
            )
        directions, arrays = self._arrays(cells)
        flips = np.zeros(arrays.state.shape, dtype=np.uint8)
        energy_j = 0.0
        for phase in schedule.phases:
            energy_j += gate_energy_j(model, phase)
            if phase.row_v.any():
                before = arrays.state.copy()
                energy_j += self._phase(phase, directions, arrays, rng)
                flips += before != arrays.state
        return WriteOutcome(arrays.state.T.copy(), flips.T.astype(int), energy_j, schedule.stop_s)

    def _phase(self, phase: Phase, directions: _Directions, arrays: CellArrays, rng: np.random.Generator) -> float:
        """Flip the cells of `arrays` in one phase and return the energy drawn."""
        one_r = self._model.architecture is Architecture.ONE_R
        given = PhaseLines(
            level_v=phase.row_v,
            source_v=np.interp(phase.row_v, *self._source_of),
            row_floats=~phase.row_on if one_r else np.zeros(len(phase.row_v), dtype=bool),
            on_s=phase.column_on_s,
            duration_s=phase.duration_s,
            r_ohm=0.0 if one_r else self._select_ohm,
        )
        try:
            selected = [selected_flips(rng, *direction, arrays, given) for direction in directions]
            energy_j, power_w = sum(found[0] for found in selected), sum(found[1] for found in selected)
            if one_r:
                starts_s, lines = self._lines(phase, given.source_v, arrays)
                energy_j += float(lines.power_w @ np.diff(starts_s))
                power_w += lines.power_w[0]
                flips = [
                    false_flips(rng, *direction, arrays, given, lines, starts_s, *found[2:])
                    for direction, found in zip(directions, selected, strict=True)
                ]
                flip(arrays, np.concatenate(flips))
        except BeyondSurfaceError as error:
            highest_v = min(float(tables.voltage.knots[-1]) for tables, _ in directions)
            raise ModelError(
                "a junction's voltage lies outside the switching surface",
                where=f"phase {phase.name}",
                allowed=f"up to {highest_v:.4g} V",
                next_step="make a surface over a wider range; nothing is extrapolated",
            ) from error
        return float(energy_j - (0.5 - RISE_SHARE) * self._model.array.timing.edge_s * power_w)

    def _lines(self, phase: Phase, source_v: np.ndarray, arrays: CellArrays) -> tuple[np.ndarray, Lines]:
        """Return the events of a 1R phase, (events + 1,) s with its end, and all lines' voltages."""
        on_s = phase.column_on_s
        order = np.argsort(on_s, kind="stable")
        ends = np.unique(on_s)
        starts_s = np.append(0.0, ends[(ends > 0) & (ends < phase.duration_s * (1 - 1e-12))])
        floating = np.searchsorted(on_s[order], starts_s, side="right")
        lines = line_voltages(
            arrays.g_s,
            arrays.own_tmr,
            self._model.parameters.v_h_v,
            phase.row_v,
            source_v,
            ~phase.row_on,
            order,
            floating,
        )
        if not lines.farthest_v.max() <= FARTHEST_V:
            raise SimulationError(
                "the voltages of floating lines did not converge",
                where=f"phase {phase.name}",
                next_step="check the conductances of the cells",
            )
        return np.append(starts_s, phase.duration_s), lines

    def _arrays(self, cells: Cells) -> tuple[_Directions, CellArrays]:
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
            known = self._known = (cells, g_s, tmr, switches, self._directions(cells))
        _, g_s, tmr, switches, directions = known
        state = np.array(cells.state.T, dtype=np.uint8, order="C")
        return directions, CellArrays(g_s, tmr, tmr * (state == 0), state, switches)

    def _directions(self, cells: Cells) -> _Directions:
        """Return the surface's tables and the junction for leaving AP, and for leaving P."""
        parameters = self._model.parameters
        # The ratio of two conductances in AP is monotone in the voltage: largest without one, or where no TMR is left.
        parallel = parameters.r_p_ohm / cells.r_p_ohm[cells.switches]
        antiparallel = parallel * (1 + parameters.tmr0) / (1 + cells.tmr0[cells.switches])
        excess = float(parallel.max(initial=1.0))
        both = float(antiparallel.max(initial=excess))
        return tuple(
            (
                self._model.surfaces[direction].tables,
                Junction(
                    state=state,
                    out=float(direction.initial_mz),
                    g_s=1 / parameters.r_p_ohm,
                    tmr=parameters.tmr0,
                    v_h_v=parameters.v_h_v,
                    critical_a=parameters.critical_current_a(direction),
                    rate_per_s=relaxation_rate_per_s(parameters, direction),
                    saddle=parameters.saddle_mz,
                    tau_d_s=parameters.tau_d_s,
                    strength=-parameters.torque_t_per_a / (parameters.alpha * parameters.b_k_t),
                    asymmetry=parameters.asymmetry,
                    stability_kt=parameters.delta,
                    excess=excess if state else both,
                ),
            )
            for state, direction in enumerate((Direction.AP_TO_P, Direction.P_TO_AP))
        )

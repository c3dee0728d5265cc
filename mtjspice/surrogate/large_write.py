"""A write on an array that is too large for the exact network, 784 x 100 for example, with all of its events.

Lines are ideal, at their junctions' calibrated levels, and a 1T1R cell sees its row's behind the select resistance:
wires and line switches are left out. So are what a junction remembers of the phase before, and the energy of junctions
on their way. Cells that flip while they are selected change the network when their column switches off, others when the
phase ends; it is not solved anew for each of them. This is close where few others flip, as in 1T1R and in four phases.
With two phases on 1R most cells are at risk, and flips are overstated by a fifth to a quarter. A phase right after one
of the other sign finds cells cooled: with inputs of both signs, flips from AP to P on 1R are overstated by 14 to 21 %,
with two phases and inputs of one sign by a half on 16 x 8 cells.

By the mean field (`large_lines`) lines are off by 1.6 mV (rms; 5 mV at most) on 784 x 100 cells, 4 mV (15 mV) on
100 x 10 after training, and by less before; unwanted flips by 0.3 % and by 0.7 %. The exact solution is within 0.3 mV.

`write_cells` is compiled and does a whole write; `LargeWriter` is it for Python.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.errors import InputError, SimulationError
from mtjspice.junction.compiled import compiled
from mtjspice.junction.memory import relaxation_rate_per_s
from mtjspice.schedule import write_schedule
from mtjspice.surrogate.exact_write import RISE_SHARE, WriteOutcome
from mtjspice.surrogate.large_flips import (
    CellArrays,
    Junction,
    PhaseLines,
    bias_parts,
    false_flips,
    flip,
    selected_flips,
    set_state,
)
from mtjspice.surrogate.large_lines import NotConvergedError, line_voltages
from mtjspice.surrogate.model import ArrayModel, require_sure
from mtjspice.switching.cell_kernels import Tables

_KNOTS = np.linspace(0, 1, 2049)
"""Of |x|, between which levels are linear; good to a microvolt."""


class Way(NamedTuple):
    """How cells leave one state."""

    tables: Tables
    junction: Junction
    level_v: Any
    """(knots,) signed levels at the junction, at equally spaced |x| from 0 to 1."""
    source_v: Any
    """(knots,) the drivers', by which currents count as power: compensated for line switches, otherwise left out."""


class LargeDevice(NamedTuple):
    """What the cells of an array share. Energies of gates are of one cell's share of a transistor."""

    ways: tuple[Way, Way]
    """By the state that is left: AP (0), P (1)."""
    one_r: bool
    select_ohm: float
    v_h_v: float
    tmr0: float
    t0_s: float
    t1_s: float
    lost_s: float
    """By which a rising edge is shorter than half of it at full power."""
    column_gate_j: float
    row_gate_j: float


def large_device(model: ArrayModel, cells: Cells) -> LargeDevice:
    """Return the device of `model` for arrays whose resistances are those of `cells`.

    Raises:
        ModelError: a switching surface that ends where pulses are not sure.
    """
    require_sure(model)
    parameters, drive, switches = model.parameters, model.drive, model.array.switches
    # The ratio of two conductances in AP is monotone in the voltage: largest without one, or where no TMR is left.
    parallel = parameters.r_p_ohm / cells.r_p_ohm[cells.switches]
    antiparallel = parallel * (1 + parameters.tmr0) / (1 + cells.tmr0[cells.switches])
    excess = float(parallel.max(initial=1.0))
    both = float(antiparallel.max(initial=excess))
    one_r = model.architecture is Architecture.ONE_R

    def way(state: int, direction: Direction) -> Way:
        junction = Junction(
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
        )
        level_v = direction.current_sign * drive.coefficients[direction].voltage_v(_KNOTS)
        return Way(model.surfaces[direction].tables, junction, level_v, drive.row_voltage_v(direction, _KNOTS))

    cycle_j_per_m = model.table.cycle_j_per_m
    return LargeDevice(
        ways=(way(0, Direction.AP_TO_P), way(1, Direction.P_TO_AP)),
        one_r=one_r,
        select_ohm=model.select_ohm,
        v_h_v=parameters.v_h_v,
        tmr0=parameters.tmr0,
        t0_s=drive.t0_s,
        t1_s=drive.t1_s,
        lost_s=(0.5 - RISE_SHARE) * model.array.timing.edge_s,
        column_gate_j=cycle_j_per_m * (switches.column_width_per_cell_m if one_r else switches.select_width_m),
        row_gate_j=cycle_j_per_m * switches.row_width_per_cell_m if one_r else 0.0,
    )


def cell_arrays(cells: Cells) -> CellArrays:
    """Return cells as kernels take and change them."""
    linear = (cells.defect == Defect.OPEN) | (cells.defect == Defect.SHORT)
    g_s = np.where(cells.defect == Defect.SHORT, 1 / cells.r_short_ohm, 1 / cells.r_p_ohm)
    g_s = np.where(cells.defect == Defect.OPEN, 0.0, g_s)
    tmr = np.where(linear, 0.0, cells.tmr0)
    g_s, tmr = (np.ascontiguousarray(values.T, dtype=np.float32) for values in (g_s, tmr))
    state = np.array(cells.state.T, dtype=np.uint8, order="C")
    own_tmr = tmr * (state == 0)
    switches = np.ascontiguousarray(cells.switches.T)
    return CellArrays(g_s, tmr, own_tmr, state, switches, *bias_parts(g_s, own_tmr))


@compiled()
def phase_lines(device, x, delta, phases, n):  # type: ignore[no-untyped-def]
    """Return the `PhaseLines` of phase `n` of a write, as `mtjspice.schedule.write_schedule` has it.

    Two phases: columns with delta > 0, then those with delta < 0. Four: each of them with the rows of x > 0, then of
    x < 0, while the other rows float.
    """
    delta_sign, x_sign = 1 if 2 * n < phases else -1, 0 if phases == 2 else 1 - 2 * (n % 2)
    level_v, source_v = np.zeros(x.size), np.zeros(x.size)
    row_floats, on_s = np.zeros(x.size, np.bool_), np.zeros(delta.size)
    for i in range(x.size):
        sign = int(np.sign(x[i]))
        if x_sign and sign != x_sign:
            row_floats[i] = True
        elif sign:
            # Table 1: x delta > 0 lowers the weight, P -> AP.
            way = device.ways[1 if sign * delta_sign > 0 else 0]
            at = abs(x[i]) * (way.level_v.size - 1)
            knot = min(int(at), way.level_v.size - 2)
            at -= knot
            level_v[i] = way.level_v[knot] + at * (way.level_v[knot + 1] - way.level_v[knot])
            source_v[i] = way.source_v[knot] + at * (way.source_v[knot + 1] - way.source_v[knot])
    for j in range(delta.size):
        if delta[j] * delta_sign > 0:
            on_s[j] = device.t0_s + device.t1_s * abs(delta[j])
    return PhaseLines(level_v, source_v, row_floats, on_s, device.t0_s + device.t1_s, device.select_ohm)


@compiled()
def write_cells(rng, device, cells, x, delta, phases, mean_field, with_energy):  # type: ignore[no-untyped-def]
    """Change cells by a write; return which, and the energy drawn.

    Args:
        rng: draws.
        device: `LargeDevice`.
        cells: `CellArrays`, changed in place.
        x: (rows,) inputs from -1 to 1.
        delta: (columns,) errors from -1 to 1.
        phases: 2 or 4; 4 in 1R only.
        mean_field: whether lines' voltages by `large_lines`' mean field are enough.
        with_energy: whether to find it, which takes a while; otherwise it is 0.

    Returns:
        (n, 3) row, column and 1 if it was unwanted: the cell was not selected, or no longer, or went against what was
        asked; a cell that flips in two phases is there twice. And J.

    Raises:
        NotConvergedError: voltages of lines that do not settle.
    """
    flips, energy_j = np.empty((0, 3), np.int64), 0.0
    for n in range(phases):
        phase = phase_lines(device, x, delta, phases, n)
        gates_j = device.column_gate_j * x.size * (phase.on_s > 0).sum()
        gates_j += device.row_gate_j * delta.size * (~phase.row_floats).sum()
        energy_j += gates_j if with_energy else 0.0
        if not phase.level_v.any():
            continue
        power_w = 0.0
        leave_ap, leave_p = device.ways
        found = (
            selected_flips(rng, leave_ap.tables, leave_ap.junction, cells, phase, with_energy),
            selected_flips(rng, leave_p.tables, leave_p.junction, cells, phase, with_energy),
        )
        for wanted_j, wanted_w, wanted, _, _ in found:
            energy_j += wanted_j
            power_w += wanted_w
            flips = np.concatenate((flips, wanted))
        if device.one_r:
            starts_s, order, floating = _events(phase)
            lines = line_voltages(
                cells, device.tmr0, device.v_h_v, phase.level_v, phase.source_v, phase.row_floats, order, floating,
                mean_field, with_energy,
            )  # fmt: skip
            energy_j += (lines.power_w * np.diff(starts_s)).sum()
            power_w += lines.power_w[0]
            unwanted = np.empty((0, 3), np.int64)
            for state in range(2):
                way, (_, _, _, places, drawn) = device.ways[state], found[state]
                more = false_flips(
                    rng, way.tables, way.junction, cells, phase, lines, starts_s, places, drawn, mean_field
                )
                unwanted = np.concatenate((unwanted, more))
            flip(cells, unwanted)
            flips = np.concatenate((flips, unwanted))
        energy_j -= device.lost_s * power_w
    return flips, energy_j


@compiled()
def _events(phase):  # type: ignore[no-untyped-def]
    """Return 0, when columns switch off and the phase's end, (events + 1,) s, and `line_voltages`' last arguments."""
    on_s = phase.on_s
    order = np.argsort(on_s, kind="mergesort")
    starts_s, floating = np.zeros(on_s.size + 2), np.zeros(on_s.size + 2, np.int64)
    events = 0
    for n in range(on_s.size):
        ends_s = on_s[order[n]]
        if ends_s < phase.duration_s * (1 - 1e-12):
            if ends_s > starts_s[events]:
                events += 1
                starts_s[events] = ends_s
                floating[events] = n
            floating[events] += 1
    starts_s[events + 1] = phase.duration_s
    return starts_s[: events + 2], order, floating[: events + 1]


@contextmanager
def not_converged_reported() -> Iterator[None]:
    """Turn what `write_cells` raises into a `SimulationError`."""
    try:
        yield
    except NotConvergedError as error:
        raise SimulationError(
            "the voltages of floating lines did not converge",
            where="a write",
            next_step="check the conductances of the cells",
        ) from error


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
        mean_field: whether 1R lines' voltages by `large_lines`' mean field are enough.
    """

    def __init__(self, model: ArrayModel, mean_field: bool = False) -> None:
        self._model, self._mean_field = model, mean_field
        drive = model.drive
        levels = {direction: drive.row_voltage_v(direction, _KNOTS) for direction in Direction}
        self._levels = _Levels(drive.t0_s, drive.t1_s, levels)
        self._known: tuple[Cells, LargeDevice, CellArrays] | None = None

    def write(
        self, x: np.ndarray, delta: np.ndarray, phases: int, cells: Cells, rng: np.random.Generator
    ) -> WriteOutcome:
        """Return the outcome of writing inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1].

        Raises:
            InputError: as `mtjspice.schedule.write_schedule`, or vectors that do not fit the cells.
            ModelError: a switching surface that ends where pulses are not sure.
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
        device, arrays = self._arrays(cells)
        with not_converged_reported():
            changed, energy_j = write_cells(
                rng, device, arrays, np.asarray(x, float), np.asarray(delta, float), phases, self._mean_field, True
            )
        flips = np.zeros(cells.state.shape, dtype=int)
        np.add.at(flips, (changed[:, 0], changed[:, 1]), 1)
        return WriteOutcome(arrays.state.T.copy(), flips, float(energy_j), schedule.stop_s)

    def _arrays(self, cells: Cells) -> tuple[LargeDevice, CellArrays]:
        """Return cells as the kernels take them; what does not change between writes is kept."""
        known = self._known
        if known is None or any(
            getattr(known[0], name) is not getattr(cells, name) for name in ("r_p_ohm", "tmr0", "defect")
        ):
            known = self._known = (cells, large_device(self._model, cells), cell_arrays(cells))
        _, device, arrays = known
        set_state(arrays, cells.state)
        return device, arrays

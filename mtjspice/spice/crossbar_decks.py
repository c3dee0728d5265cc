"""A schedule, cells and an array card as the context of a crossbar's deck."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from mtjspice.cards.array import Architecture, ArrayCard, Levels, SwitchKind
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.errors import InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start
from mtjspice.netlist.context import (
    CellContext,
    CrossbarContext,
    NoiseFile,
    SenseContext,
    SwitchContext,
    SwitchSize,
)
from mtjspice.schedule import Schedule
from mtjspice.spice.decks import junction_context
from mtjspice.spice.libraries import library_name

_COMPILED = "mtj_llg.osdi"
"""What OpenVAF makes of models/mtj_llg.va; beside the deck."""
RESTORING_PER_NS = 20.0
"""Pulls |m| to 1: edges make steps unequal, and then the trapezoidal rule lets it drift (see `spice.decks`)."""


class JunctionModel(StrEnum):
    """What a junction is in a netlist: a subcircuit of plain elements, or the compiled Verilog-A model."""

    SUBCKT = "subckt"
    VA = "va"


@dataclass(frozen=True)
class Device:
    """What an array is made of: one junction's physics, the card of the array around it."""

    parameters: MacrospinParameters
    array: ArrayCard
    r_reference_ohm: float
    """Resistor of a reference cell."""


def start_magnetisations(parameters: MacrospinParameters, state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one draw from equilibrium for each cell, (rows, columns, 3)."""
    starts = np.empty((state.size, 3))
    for value, direction in ((1, Direction.P_TO_AP), (0, Direction.AP_TO_P)):
        # Every cell draws for both wells, so that its draw does not depend on the others' states.
        drawn = boltzmann_start(parameters, direction, state.size, rng)
        chosen = state.ravel() == value
        starts[chosen] = drawn[chosen]
    return starts.reshape(*state.shape, 3)


def transient_context(
    schedule: Schedule,
    cells: Cells,
    device: Device,
    starts: np.ndarray,
    noise: Sequence[NoiseFile],
    *,
    title: str,
    header: Sequence[str] = (),
    people: bool = False,
    junction_model: JunctionModel = JunctionModel.SUBCKT,
) -> CrossbarContext:
    """Return the deck of a schedule with junctions that switch.

    Args:
        starts: (rows, columns, 3), unit vectors.
        noise: thermal fields, files beside the deck, of the cells that `live_labels` names.
        people: with measurements and a control block.
        junction_model: the compiled Verilog-A model needs an ngspice with OSDI, and mtj_llg.osdi beside the deck.

    Raises:
        InputError: shapes that do not fit, or a level below the bulk's.
    """
    context = _context(schedule, cells, device, starts, tuple(noise), schedule.stop_s, title, tuple(header), people)
    return replace(context, compiled_model=_COMPILED if junction_model is JunctionModel.VA else "")


def read_context(
    schedule: Schedule,
    cells: Cells,
    device: Device,
    *,
    title: str,
    header: Sequence[str] = (),
    people: bool = False,
) -> CrossbarContext:
    """Return the deck of a read's operating point: levels are on, and junctions keep their states.

    Raises:
        InputError: shapes that do not fit, or a level below the bulk's.
    """
    return _context(schedule, cells, device, None, (), None, title, tuple(header), people)


def live_labels(cells: Cells) -> list[str]:
    """Return the labels of the cells that switch, row by row, from 1."""
    return [f"{row + 1}_{column + 1}" for row, column in np.argwhere(cells.switches).tolist()]


def _context(
    schedule: Schedule,
    cells: Cells,
    device: Device,
    starts: np.ndarray | None,
    noise: tuple[NoiseFile, ...],
    stop_s: float | None,
    title: str,
    header: tuple[str, ...],
    people: bool,
) -> CrossbarContext:
    array, levels = device.array, device.array.levels
    rows, columns = schedule.shape
    if cells.state.shape != (rows, columns):
        raise InputError(
            "states do not fit inputs and errors",
            given=f"states of {cells.state.shape[0]} x {cells.state.shape[1]}",
            allowed=f"{rows} inputs x {columns} errors",
        )
    require_levels(schedule, levels)
    off_v, on_v = levels.gate_off_v, levels.gate_on_v
    row_points = tuple(schedule.row_waveform(i) for i in range(rows))
    gate_points = tuple(schedule.column_waveform(j, off_v, on_v) for j in range(columns))
    enable_points = tuple(schedule.row_enable_waveform(i, off_v, on_v) for i in range(rows))
    reading = schedule.phases[0].name == "read"
    reference_points = gate_points[0][:5] if reading else ((0.0, off_v),)
    if stop_s is None:
        phase = schedule.phases[0]
        row_points = tuple(((0.0, float(v)),) for v in phase.row_v)
        gate_points = tuple(((0.0, on_v if t > 0 else off_v),) for t in phase.column_on_s)
        enable_points = tuple(((0.0, on_v if on else off_v),) for on in phase.row_on)
        reference_points = ((0.0, on_v if reading else off_v),)
    varies = bool(np.ptp(cells.r_p_ohm) or np.ptp(cells.tmr0))
    return CrossbarContext(
        title=title,
        header=header,
        architecture=schedule.architecture,
        rows=rows,
        columns=columns,
        cells=tuple(
            cell_context(cells, row, column, None if starts is None else starts[row, column], varies)
            for row in range(rows)
            for column in range(columns)
        ),
        junction=junction_context(device.parameters, restoring_per_ns=RESTORING_PER_NS, varies=varies),
        r_segment_ohm=array.wires.r_segment_ohm,
        c_segment_f=array.wires.c_segment_f if stop_s is not None else 0.0,
        switches=switch_context(array, (rows, columns)),
        levels=levels,
        sense=SenseContext(array.read.r_feedback_ohm, device.r_reference_ohm),
        row_points=row_points,
        gate_points=gate_points,
        enable_points=enable_points if schedule.architecture is Architecture.ONE_R else (),
        reference_points=reference_points,
        noise=noise,
        sample_step_s=array.timing.time_step_s,
        time_step_s=array.timing.time_step_s,
        stop_s=stop_s,
        minus_saddle=-device.parameters.saddle_mz,
        people=people,
        raw_name="waves.raw",
    )


def cell_context(cells: Cells, row: int, column: int, start: np.ndarray | None, varies: bool) -> CellContext:
    """Return a cell, (row, column) from 0: it keeps its state where there is no `start`."""
    place = (row, column)
    defect = Defect(cells.defect[place])
    if defect is Defect.OPEN:
        return CellContext(row + 1, column + 1, "open")
    if defect is Defect.SHORT:
        return CellContext(row + 1, column + 1, "resistor", r_ohm=cells.r_short_ohm)
    kind = "live" if start is not None and defect is Defect.NONE else "frozen"
    mx, my, mz = (0.0, 0.0, 2.0 * float(cells.state[place]) - 1.0) if kind == "frozen" else start.tolist()  # type: ignore[union-attr]
    own = (float(cells.r_p_ohm[place]), float(cells.tmr0[place])) if varies else (None, None)
    return CellContext(row + 1, column + 1, kind, (mx, my, mz), *own)


def require_levels(schedule: Schedule, levels: Levels) -> None:
    """Require that transistors that are off stay off.

    Raises:
        InputError: a line goes below their bulk or gates.
    """
    lowest = min(float(phase.row_v.min()) for phase in schedule.phases)
    if min(levels.bulk_v, levels.gate_off_v) > lowest:
        raise InputError(
            "a row goes below the transistors' bulk or off-gates, so that cells that are off would conduct",
            given=f"row at {lowest:.4g} V, bulk at {levels.bulk_v:g} V, gates off at {levels.gate_off_v:g} V",
            allowed="bulk and off-gates at or below the most negative row",
            next_step="lower bulk_v and gate_off_v in the array card, or raise common_mode_v",
        )


def switch_context(array: ArrayCard, shape: tuple[int, int]) -> SwitchContext:
    """Return the switches of an array of (rows, columns) cells."""
    switches = array.switches

    def size(width_m: float) -> SwitchSize:
        return SwitchSize(width_m, switches.r_on_ohm * switches.select_width_m / width_m)

    bsim4 = switches.kind is SwitchKind.BSIM4
    return SwitchContext(
        kind=switches.kind,
        library=library_name(switches) if bsim4 else "",
        model=switches.model,
        length_m=switches.length_m,
        select=size(switches.select_width_m),
        row=size(switches.row_width_per_cell_m * shape[1]),
        column=size(switches.column_width_per_cell_m * shape[0]),
    )

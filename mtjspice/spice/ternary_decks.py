"""A schedule of lines and gates as the context of a deck of ternary synapses.

Junctions are cells of (lines, columns): line 2i holds the junctions M1 of row i, line 2i + 1 those called M2.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.netlist.context import CellContext, NoiseFile
from mtjspice.netlist.ternary import TernaryContext
from mtjspice.schedule import Schedule
from mtjspice.spice.crossbar_decks import (
    RESTORING_PER_NS,
    Device,
    cell_context,
    require_levels,
    switch_context,
)
from mtjspice.spice.decks import junction_context


def ternary_context(
    schedule: Schedule,
    cells: Cells,
    device: Device,
    *,
    title: str,
    starts: np.ndarray | None = None,
    noise: Sequence[NoiseFile] = (),
    operating_point: bool = False,
    header: Sequence[str] = (),
    people: bool = False,
) -> TernaryContext:
    """Return the deck of a schedule: a transient, or its first phase's operating point.

    Args:
        starts: (lines, columns, 3), unit vectors; without them junctions keep their states.
        noise: thermal fields, files beside the deck, of the junctions that `pair_labels` names.
        people: with measurements and a control block.

    Raises:
        InputError: shapes that do not fit, or a level below the bulk's.
    """
    array, levels = device.array, device.array.levels
    lines, columns = schedule.shape
    if cells.state.shape != (lines, columns):
        raise InputError(
            "states do not fit the schedule",
            given=f"states of {cells.state.shape[0]} lines x {cells.state.shape[1]} columns",
            allowed=f"{lines} x {columns}",
        )
    require_levels(schedule, levels)
    line_points = tuple(schedule.row_waveform(line) for line in range(lines))
    gate_points = tuple(schedule.column_waveform(j, levels.gate_off_v, levels.gate_on_v) for j in range(columns))
    if operating_point:
        phase = schedule.phases[0]
        line_points = tuple(((0.0, float(v)),) for v in phase.row_v)
        gate_points = tuple(((0.0, levels.gate_on_v if t > 0 else levels.gate_off_v),) for t in phase.column_on_s)
    varies = bool(np.ptp(cells.r_p_ohm) or np.ptp(cells.tmr0))

    def junction(row: int, column: int, side: int) -> CellContext:
        line = 2 * row + side
        cell = cell_context(cells, line, column, None if starts is None else starts[line, column], varies)
        return replace(cell, row=row + 1, junction="ab"[side])

    return TernaryContext(
        title=title,
        header=tuple(header),
        rows=lines // 2,
        columns=columns,
        pairs=tuple((junction(i, j, 0), junction(i, j, 1)) for i in range(lines // 2) for j in range(columns)),
        junction=junction_context(device.parameters, restoring_per_ns=RESTORING_PER_NS, varies=varies),
        r_segment_ohm=array.wires.r_segment_ohm,
        c_segment_f=0.0 if operating_point else array.wires.c_segment_f,
        switches=switch_context(array, (lines, columns)),
        levels=levels,
        r_feedback_ohm=array.read.r_feedback_ohm,
        line_points=line_points,
        gate_points=gate_points,
        noise=tuple(noise),
        sample_step_s=array.timing.time_step_s,
        time_step_s=array.timing.time_step_s,
        stop_s=None if operating_point else schedule.stop_s,
        minus_saddle=-device.parameters.saddle_mz,
        people=people,
        raw_name="waves.raw",
    )


def pair_labels(cells: Cells) -> list[str]:
    """Return the labels of the junctions that switch, line by line: row and column from 1, and ``a`` or ``b``."""
    return [f"{line // 2 + 1}_{column + 1}{'ab'[line % 2]}" for line, column in np.argwhere(cells.switches).tolist()]

"""Energy of one ternary synapse in SPICE, transistors and gates included, beside the formula for its junctions."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.cosim.spice_write import place_library
from mtjspice.crossbar.cells import Cells
from mtjspice.files import writing
from mtjspice.netlist.render import render_ternary
from mtjspice.schedule import Schedule
from mtjspice.spice.ngspice import run_deck
from mtjspice.spice.ternary_decks import ternary_context
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.ternary_cell import line_levels
from mtjspice.surrogate.ternary_energy import junctions_read_j, junctions_write_j
from mtjspice.ternary_schedule import ternary_read_schedule, ternary_update_schedule

_PAIRS = ((1, 0), (0, 1), (1, 1), (0, 0))
_TIME_LIMIT_S = 120.0


@dataclass(frozen=True)
class SpiceEnergy:
    """One operation of one synapse, whose junctions keep their states, J.

    Args:
        text: the operation.
        lines_j: what the drivers of the two lines deliver: junctions, switches and wires.
        gates_j: what the gate and the bulk's source deliver.
        formula_j: the junctions alone, by the formula, at the same voltage or currents and the same time.
    """

    text: str
    lines_j: float
    gates_j: float
    formula_j: float

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**vars(self), "lines_over_formula": self.lines_j / self.formula_j}


def spice_energies(model: ArrayModel) -> tuple[SpiceEnergy, SpiceEnergy]:
    """Return a read with the array card's voltage and time, the mean over all pairs, and an update of t0 + t1 at I0.

    The update raises W = -1, so that both junctions are in the state that they are driven out of.

    Raises:
        NgspiceMissingError, SimulationError: no usable ngspice, or it did not finish.
        InputError: the transistor library cannot be used, or the update takes a line below the transistors' bulk.
    """
    read = model.array.read
    schedule = ternary_read_schedule(np.ones(1), 1, model.array)
    reads = np.array([_delivered(model, schedule, pair) for pair in _PAIRS]).mean(axis=0)
    width_s = model.drive.t0_s + model.drive.t1_s
    update = ternary_update_schedule(np.full((1, 1), width_s), line_levels(model, 0.0), model.array)
    lines_j, gates_j = _delivered(model, update, (0, 1))
    currents_a = {way: model.drive.coefficients[way].i0_a for way in Direction}
    return (
        SpiceEnergy(
            f"read, {read.v_read_v:g} V for {read.t_read_s * 1e9:g} ns",
            float(reads[0]),
            float(reads[1]),
            junctions_read_j(model.parameters, read.v_read_v, read.t_read_s),
        ),
        SpiceEnergy(
            f"update, {width_s * 1e9:g} ns at I0 of the cell",
            lines_j,
            gates_j,
            junctions_write_j(model.parameters, currents_a, width_s),
        ),
    )


def _delivered(model: ArrayModel, schedule: Schedule, pair: tuple[int, int]) -> tuple[float, float]:
    """Return what the lines, and what gates and bulk, deliver to a synapse in the states `pair`."""
    cells = Cells.nominal(model.parameters, np.array(pair)[:, np.newaxis], model.array.r_short_ohm)
    context = ternary_context(schedule, cells, model.device, title="One synapse whose junctions keep their states")
    scratch = Path(tempfile.gettempdir(), "the simulation's scratch files")
    with writing(scratch), tempfile.TemporaryDirectory(prefix="mtjspice-") as name:
        place_library(model.array, Path(name))
        waves = run_deck(render_ternary(context), Path(name), stop_s=schedule.stop_s, time_limit_s=_TIME_LIMIT_S)
    times = waves["time"]
    # Before the second sample ngspice brings the nodes from zero to their levels.
    begin = int(np.searchsorted(times, 2 * context.sample_step_s))
    found = {"lines": 0.0, "gates": 0.0}
    for node, source in context.sources:
        power_w = -waves[f"v({node})"][begin:] * waves[f"i({source})"][begin:]
        found["lines" if node.startswith("drv") else "gates"] += float(np.trapezoid(power_w, times[begin:]))
    return found["lines"], found["gates"]

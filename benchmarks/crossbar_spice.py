"""What a junction of a larger crossbar costs in ngspice, beside one of a smaller."""

import shutil
from typing import Any

from benchmarks._entry import entry
from benchmarks._timing import cpu_s
from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.junction import load_card
from mtjspice.cosim.spice_write import SpiceTask, simulate_write
from mtjspice.cosim.step import Step
from mtjspice.crossbar.cells import Cells
from mtjspice.jobs.progress import progress
from mtjspice.schedule import write_schedule
from mtjspice.surrogate.model import ArrayModel, array_model

_REPEATS = 3


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    name = "ngspice, 1T1R write, a junction of 8 x 8 / of 4 x 4"
    if shutil.which("ngspice") is None:
        return [entry(f"{name} (skipped: not installed)", None, "ms", "at most", 1.5)]
    targets = load_campaign("table3").targets
    model = array_model(
        Architecture.ONE_T_ONE_R, load_card("mondal2018"), load_array("array45"), targets, progress=progress
    )
    small_ms, large_ms = (1e3 * _write_s(model, side) / side**2 for side in (4, 8))
    return [entry(name, large_ms, "ms", "at most", 1.5, baseline=small_ms)]


def _write_s(model: ArrayModel, side: int) -> float:
    """Return the least CPU time of a few runs."""
    step = Step.drawn(Architecture.ONE_T_ONE_R, 2, side, side, 1)
    schedule = write_schedule(step.x, step.delta, model.drive, step.architecture, model.array, step.phases)
    cells = Cells.nominal(model.parameters, step.state, model.array.r_short_ohm)
    times = []
    for repeat in range(_REPEATS):
        task = SpiceTask(model.device, schedule, cells, 1, (repeat,))
        start = cpu_s()
        simulate_write(task)
        times.append(cpu_s() - start)
    return min(times)

"""Many writes of one step on the surrogate, as batches."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.jobs.seeds import generator
from mtjspice.schedule import Schedule
from mtjspice.surrogate.exact_write import ExactWriter
from mtjspice.surrogate.model import ArrayModel

RUNS_PER_BATCH = 100


@dataclass(frozen=True)
class SurrogateTask:
    """A batch of runs, and the kind of writer that makes them."""

    writer: type[ExactWriter]
    model: ArrayModel
    schedule: Schedule
    cells: Cells
    runs: int
    seed: int
    key: tuple[int, ...]


def run_surrogate_writes(task: SurrogateTask) -> dict[str, Any]:
    """Return, as plain data, the cells that changed in each run, numbered row by row, and the energies."""
    writer = task.writer(task.model, task.cells.state.shape)
    rng = generator(task.seed, task.key)
    outcomes = [writer.write(task.schedule, task.cells, rng) for _ in range(task.runs)]
    return {
        "changed": [np.flatnonzero(o.state != task.cells.state).tolist() for o in outcomes],
        "energy_j": [o.energy_j for o in outcomes],
    }

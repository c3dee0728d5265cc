"""One step in SPICE and on the surrogate: reads, flips, energy, and whether they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtjspice.cosim.read import read_errors
from mtjspice.cosim.spice_write import SpiceTask, run_spice_write
from mtjspice.cosim.statistics import Agreement, compare
from mtjspice.cosim.step import Step
from mtjspice.cosim.surrogate_write import RUNS_PER_BATCH, SurrogateTask, run_surrogate_writes
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import SimulationError
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.jobs.seeds import generator
from mtjspice.schedule import Schedule, write_schedule
from mtjspice.surrogate.exact_write import ExactWriter
from mtjspice.surrogate.model import ArrayModel

LEAST_P, MOST_SIGMA, MOST_ENERGY_ERROR, MOST_READ_ERROR = 0.01, 4.0, 0.03, 0.01
"""What counts as agreement: of the flips' p-value, of each cell, of the energy and of the reads."""
_RUNS_PER_SEED = 10
"""Surrogate runs for each seed in SPICE, so that their own scatter adds little."""
_WORST = 5


@dataclass(frozen=True)
class Comparison:
    """A step's outcome on both sides.

    Args:
        step: what was done.
        read_error: the largest relative error of a column's current, and of a cell's; None where reads were left out.
        flips: fractions, p-value and sigmas; cells numbered row by row.
        spice_j, surrogate_j: (runs,) energies.
        not_simulated: runs that ngspice did not finish, by reason.
    """

    step: Step
    read_error: float | None
    flips: Agreement
    spice_j: np.ndarray
    surrogate_j: np.ndarray
    not_simulated: dict[str, int]

    @property
    def energy_error(self) -> float:
        """The surrogate's mean energy over SPICE's, less 1."""
        return float(self.surrogate_j.mean() / self.spice_j.mean() - 1)

    def agrees(self, p_value: float | None = None) -> bool:
        """Return whether everything lies within its limit; `p_value` may be one corrected for several steps."""
        p = self.flips.p_value if p_value is None else p_value
        return (
            p > LEAST_P
            and self.flips.worst_sigma <= MOST_SIGMA
            and abs(self.energy_error) <= MOST_ENERGY_ERROR
            and (self.read_error is None or self.read_error <= MOST_READ_ERROR)
        )

    def worst_cells(self) -> list[dict[str, Any]]:
        """Return the cells that differ most, the worst first, with rows and columns from 1."""
        columns = self.step.state.shape[1]
        order = np.argsort(-np.abs(self.flips.sigma))[:_WORST]
        return [
            {
                "row": int(k) // columns + 1,
                "column": int(k) % columns + 1,
                "spice": float(self.flips.spice[k]),
                "surrogate": float(self.flips.surrogate[k]),
                "sigma": float(self.flips.sigma[k]),
            }
            for k in order
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        error = float(self.spice_j.std(ddof=1) / np.sqrt(len(self.spice_j)) / self.spice_j.mean())
        return {
            "step": self.step.to_json(),
            "read": {"max_rel_error": self.read_error},
            "write": {
                "trials": len(self.spice_j),
                "surrogate_trials": len(self.surrogate_j),
                "p_value": self.flips.p_value,
                "worst_sigma": self.flips.worst_sigma,
                "worst_cells": self.worst_cells(),
                "spice": self.flips.spice.tolist(),
                "surrogate": self.flips.surrogate.tolist(),
                "not_simulated": self.not_simulated,
            },
            "energy": {
                "spice_j": float(self.spice_j.mean()),
                "surrogate_j": float(self.surrogate_j.mean()),
                "rel_error": self.energy_error,
                "rel_standard_error": error,
            },
            "agrees": self.agrees(),
        }


def compare_step(
    step: Step,
    model: ArrayModel,
    trials: int,
    *,
    seed: int,
    key: tuple[int, ...] = (),
    executor: Executor,
    checkpoint: Checkpoint | None,
    progress: ProgressBars,
    writers: Sequence[type[ExactWriter]] = (ExactWriter,),
    cells: Cells | None = None,
    reads: bool = True,
) -> list[Comparison]:
    """Return SPICE's `trials` seeds of a step beside the surrogate's runs, once for each kind of writer.

    Args:
        key: tells this step's random numbers and batches from those of others with the same seed.
        writers: `ExactWriter`, and whatever it is to be told from.
        cells: junctions that vary or are defective; nominal ones when left out.
        reads: whether reads are compared, too.

    Raises:
        InputError: values or shapes that do not fit.
        NgspiceMissingError, SimulationError: ngspice is missing, or finished no run.
    """
    schedule = write_schedule(step.x, step.delta, model.drive, step.architecture, model.array, step.phases)
    if cells is None:
        cells = Cells.nominal(model.parameters, step.state, model.array.r_short_ohm)
    name = "-".join(map(str, ("step", *key)))
    spice = [
        Batch(f"{name}-spice-{k:05d}", SpiceTask(model.device, schedule, cells, seed, (*key, 0, k)))
        for k in range(trials)
    ]
    with progress(f"ngspice: {step.title}") as report:
        results = list(run_batches(
            run_spice_write, spice, executor=executor, checkpoint=checkpoint, on_progress=report,
            is_complete=lambda result: result["state"] is not None,
        ).values())  # fmt: skip
    finished = [result for result in results if result["state"] is not None]
    not_simulated: dict[str, int] = {}
    for result in results:
        if result["reason"] is not None:
            not_simulated[result["reason"]] = not_simulated.get(result["reason"], 0) + 1
    if len(finished) < 2:
        raise SimulationError(
            "ngspice finished fewer than two runs of this step",
            where=step.title,
            given=next(iter(not_simulated)),
            next_step="mend the array card or the transistor library, then start again in a new --out",
        )
    state = step.state.astype(int).ravel()
    spice_flips = np.array([np.ravel(result["state"]) != state for result in finished])
    spice_j = np.array([result["energy_j"] for result in finished])
    error = None
    if reads:
        columns, each = read_errors(model, cells, step.x)
        error = float(max(np.abs(columns).max(), np.abs(each).max()))
    found = []
    for number, writer in enumerate(writers):
        flips, energies = _surrogate(
            writer, step, model, schedule, cells, runs=_RUNS_PER_SEED * trials, seed=seed, key=(*key, number + 1),
            name=f"{name}-{number}", executor=executor, checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
        agreement = compare(spice_flips, flips, generator(seed, (*key, 0)))
        found.append(Comparison(step, error, agreement, spice_j, energies, not_simulated))
    return found


def _surrogate(
    writer: type[ExactWriter],
    step: Step,
    model: ArrayModel,
    schedule: Schedule,
    cells: Cells,
    *,
    runs: int,
    seed: int,
    key: tuple[int, ...],
    name: str,
    executor: Executor,
    checkpoint: Checkpoint | None,
    progress: ProgressBars,
) -> tuple[np.ndarray, np.ndarray]:
    """Return changed cells, (runs, cells) bool, and energies, (runs,)."""
    batches = [
        Batch(
            f"{name}-surrogate-{first:06d}",
            SurrogateTask(writer, model, schedule, cells, min(RUNS_PER_BATCH, runs - first), seed, (*key, first)),
        )
        for first in range(0, runs, RUNS_PER_BATCH)
    ]
    with progress(f"surrogate: {step.title}") as report:
        results = run_batches(
            run_surrogate_writes, batches, executor=executor, checkpoint=checkpoint, on_progress=report
        )
    changed = [run for result in results.values() for run in result["changed"]]
    flips = np.zeros((len(changed), step.state.size), dtype=bool)
    for row, cells_changed in zip(flips, changed, strict=True):
        row[cells_changed] = True
    return flips, np.concatenate([result["energy_j"] for result in results.values()])

"""The engines with chance: ngspice and the macrospin, as campaigns of batches that stop and resume.

A batch is one netlist, or one kernel call. Its random numbers depend on the root seed and on what the batch is, so the
counts depend neither on the number of workers nor on what else the campaign holds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtjspice.errors import SimulationError
from mtjspice.files import sha256_of
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.seeds import generator
from mtjspice.junction import macrospin
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.spice import pulses
from mtjspice.switching.points import Counts, Engine, Point
from mtjspice.switching.surface import SwitchingSurface

MACROSPIN_BATCH = 1024
_PATIENCE = 4
"""Batches in a row that fail before a campaign gives up."""
_RELAXATION_TAU_D = 3.0
"""Where no line of m_z separates the wells, the junction relaxes this long after the pulse before it is read."""


@dataclass(frozen=True)
class Task:
    """Everything that determines a batch's result."""

    engine: Engine
    parameters: MacrospinParameters
    point: Point
    trials: int
    time_step_s: float
    seed: int
    key: tuple[int, ...]


def run_task(task: Task) -> dict[str, Any]:
    """Simulate one batch; return counts as plain data."""
    point, parameters = task.point, task.parameters
    symmetric = parameters.is_axially_symmetric
    relax_s = 0.0 if symmetric else _RELAXATION_TAU_D * parameters.tau_d_s
    # Without axial symmetry every width needs its own relaxation, hence its own run (on the same random numbers).
    runs = [point.widths_s] if symmetric else [(width,) for width in point.widths_s]
    mz, reasons = np.empty((task.trials, 0)), set[str]()
    for widths in runs:
        rng = generator(task.seed, task.key)
        arguments = (parameters, point.direction, point.drive, point.level, widths, task.trials, rng)
        if task.engine is Engine.NGSPICE:
            outcome = pulses.simulate_pulses(*arguments, time_step_s=task.time_step_s, relax_s=relax_s)
            if outcome.reason is not None:
                reasons.add(outcome.reason)
            columns = outcome.mz
        else:
            columns = macrospin.simulate_pulses(*arguments, relax_s=relax_s)
        mz = np.hstack((mz, columns))
    simulated = np.isfinite(mz).all(axis=1)
    initial = point.direction.initial_mz
    switched = initial * (mz[simulated] - parameters.saddle_mz) < 0
    lost = task.trials - int(simulated.sum())
    reason = "; ".join(sorted(reasons)) or "no reason was recorded"
    return {
        "switched": [int(n) for n in switched.sum(axis=0)],
        "trials": int(simulated.sum()),
        "not_simulated": {reason: lost} if lost else {},
    }


def measure(
    engine: Engine,
    parameters: MacrospinParameters,
    points: Sequence[Point],
    *,
    time_step_s: float,
    batch_size: int,
    seed: int,
    executor: Executor,
    checkpoint: Checkpoint | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Counts]:
    """Simulate every point's trials and count switches; the order is that of `points`.

    Args:
        time_step_s: of the thermal field in ngspice; the macrospin chooses its own.
        batch_size: junctions in one netlist.
        seed: root seed.

    Raises:
        SimulationError: ngspice is missing or fails every time, or a worker died. Finished batches stay in the
            checkpoint; those that lost trials do not, so that a resumed run tries them again.
    """
    size = batch_size if engine is Engine.NGSPICE else MACROSPIN_BATCH
    batches = {
        point: [
            _batch(engine, parameters, point, min(size, point.trials - first), first, time_step_s, seed)
            for first in range(0, point.trials, size)
        ]
        for point in dict.fromkeys(points)
    }
    results = run_batches(
        run_task,
        [batch for group in batches.values() for batch in group],
        executor=executor,
        checkpoint=checkpoint,
        on_progress=on_progress,
        is_complete=_watch_for_failures(),
    )
    return [_total(point, [results[batch.key] for batch in batches[point]]) for point in points]


def add_up(losses: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return lost trials by reason, over all of `losses`."""
    total: dict[str, int] = {}
    for loss in losses:
        for reason, trials in loss.items():
            total[reason] = total.get(reason, 0) + trials
    return total


def measured_surface(counts: Sequence[Counts], engine: Engine) -> SwitchingSurface:
    """Return the surface of points that share direction, drive and widths, one for each level."""
    first = counts[0].point
    levels = np.array([c.point.level for c in counts])
    trials = np.array([[c.trials] * len(first.widths_s) for c in counts])
    switched = np.array([c.switched for c in counts])
    widths_s = np.array(first.widths_s)
    return SwitchingSurface.from_counts(first.direction, first.drive, levels, widths_s, switched, trials, engine.value)


def _batch(
    engine: Engine,
    parameters: MacrospinParameters,
    point: Point,
    trials: int,
    first: int,
    time_step_s: float,
    seed: int,
) -> Batch:
    """Return trials `first` ... of a point.

    The random stream belongs to the longest pulse: shorter ones are read off the same trajectories.
    """
    stream = f"{engine}-{point.direction}-{point.drive}-{point.level:.9e}-{point.widths_s[-1]:.9e}-{first:07d}"
    digest = sha256_of(stream)
    words = tuple(int(digest[i : i + 8], 16) for i in range(0, 32, 8))
    key = f"{stream}-{sha256_of(point.widths_s)[:8]}".replace("+", "")
    return Batch(key, Task(engine, parameters, point, trials, time_step_s, seed, words))


def _watch_for_failures() -> Callable[[dict[str, Any]], bool]:
    """Return what tells whether a batch's result is complete, and gives up when nothing ever is."""
    failures = 0

    def is_complete(result: dict[str, Any]) -> bool:
        nonlocal failures
        failures = 0 if result["trials"] else failures + 1
        if failures == _PATIENCE:
            (reason,) = result["not_simulated"]
            raise SimulationError(
                f"{_PATIENCE} batches in a row could not be simulated",
                given=reason,
                next_step="mend what stops ngspice, then give the same command with --resume; finished work is kept",
            )
        return not result["not_simulated"]

    return is_complete


def _total(point: Point, results: Sequence[dict[str, Any]]) -> Counts:
    return Counts(
        point=point,
        switched=np.sum([r["switched"] for r in results], axis=0),
        trials=sum(r["trials"] for r in results),
        not_simulated=add_up(r["not_simulated"] for r in results),
    )

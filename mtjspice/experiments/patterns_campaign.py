"""The letters learnt in SPICE and on the surrogate from the same starts: seeds as batches, and whether they agree."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cosim.run import CosimRequest, cosim_provenance, model_of
from mtjspice.cosim.spice_array import SpiceArray
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.experiments.patterns import COLUMNS, ROWS, Learning, patterns, train
from mtjspice.files import make_folder, sha256_of, write_json
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.jobs.seeds import generator
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.model import ArrayModel

SCHEMA = 1
LEAST_P = 0.01
SURROGATE_RUNS = 8
"""Loops on the surrogate for each in SPICE, all from the same state and through the same samples."""
_PERMUTATIONS = 9999
_START, _ORDER, _SPICE, _SURROGATE, _TEST = range(5)


@dataclass(frozen=True)
class LoopTask:
    """Everything that determines the loops of one seed."""

    model: ArrayModel
    learning: Learning
    epochs: int
    root_seed: int
    number: int


@dataclass(frozen=True)
class Loops:
    """The loops of all seeds on one side; every array is (seeds, runs, ...).

    Args:
        error, accuracy: (seeds, runs, epochs + 1), before the first epoch and after each.
        flips_per_sample, written, clipped, step_j: (seeds, runs), as `train` has them.
        parallel: (seeds, runs, cells), 1 for a cell that ends parallel.
    """

    error: np.ndarray
    accuracy: np.ndarray
    flips_per_sample: np.ndarray
    written: np.ndarray
    clipped: np.ndarray
    step_j: np.ndarray
    parallel: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Return means over seeds and runs, with standard errors over seeds, as plain data."""
        found: dict[str, Any] = {}
        for name in ("error", "accuracy"):
            mean, standard_error = mean_and_error(getattr(self, name))
            found |= {name: mean.tolist(), f"{name}_standard_error": standard_error.tolist()}
        parallel = self.parallel.mean(axis=-1)
        for name, values in (
            ("flips_per_sample", self.flips_per_sample),
            ("step_j", self.step_j),
            ("parallel_fraction", parallel),
        ):
            mean, standard_error = mean_and_error(values)
            found |= {name: float(mean), f"{name}_standard_error": float(standard_error)}
        return found | {
            "final_accuracy": found["accuracy"][-1],
            "final_accuracy_standard_error": found["accuracy_standard_error"][-1],
            "written_fraction": float(self.written.mean()),
            "clipped_fraction": float(self.clipped.mean()),
        }


@dataclass(frozen=True)
class PatternsResult:
    """The task learnt on both sides.

    Args:
        spice: one run a seed.
        surrogate: `SURROGATE_RUNS` runs a seed.
        p_value: of the hypothesis that both sides' training curves are drawn from one distribution.
        states_p_value: the same of the states, cell by cell, that training ends in.
    """

    architecture: Architecture
    learning: Learning
    spice: Loops
    surrogate: Loops
    p_value: float
    states_p_value: float

    @property
    def agrees(self) -> bool:
        """Whether curves and final states do."""
        return min(self.p_value, self.states_p_value) > LEAST_P / 2

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        seeds, _, points = self.spice.error.shape
        return {
            "schema": SCHEMA,
            "architecture": self.architecture.value,
            "epochs": points - 1,
            "seeds": seeds,
            "surrogate_runs": self.surrogate.error.shape[1],
            "gain": self.learning.gain,
            "least_delta": self.learning.least_delta,
            "spice": self.spice.to_json(),
            "surrogate": self.surrogate.to_json(),
            "p_value": self.p_value,
            "states_p_value": self.states_p_value,
            "agrees": self.agrees,
        }


def run_patterns(
    request: CosimRequest,
    architecture: Architecture,
    epochs: int,
    seeds: int,
    *,
    learning: Learning | None = None,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[PatternsResult, Path], object],
) -> PatternsResult:
    """Learn the letters on both sides and write ``patterns.json`` and a figure; finished seeds are kept until then.

    A seed's loop in SPICE takes about a second for each sample that is written, a third of them. A process runs one
    loop at a time, as libngspice is there once: on a cluster, give workers one thread each.

    Raises:
        InputError: fewer than one epoch or two seeds, or an unfinished run in the folder without `resume`.
        NgspiceMissingError: no ngspice, or no libngspice.
        MtjspiceError: whatever else stops the comparison.
    """
    if epochs < 1 or seeds < 2:
        raise InputError(
            "the loop is too short to compare", given=f"{epochs} epochs, {seeds} seeds", allowed="1 epoch, 2 seeds"
        )
    started = time.monotonic()
    learning = learning or Learning()
    model = model_of(request.card, request.array, architecture, progress)
    provenance = cosim_provenance(request)
    asked = ["patterns", architecture.value, epochs, seeds, learning.gain, learning.least_delta, SURROGATE_RUNS]
    tasks = [LoopTask(model, learning, epochs, request.seed, number) for number in range(seeds)]
    with Checkpoint(make_folder(request.folder) / "checkpoint", sha256_of([provenance, asked])) as checkpoint:
        checkpoint.require_resume(request.resume)
        sides = {}
        for title, side, function in (
            ("ngspice", "spice", spice_loops),
            ("the surrogate", "surrogate", surrogate_loops),
        ):
            with progress(f"letters learnt: {title}") as report:
                batches = [Batch(f"patterns-{side}-{task.number:04d}", task) for task in tasks]
                results = run_batches(
                    function, batches, executor=executor, checkpoint=checkpoint, on_progress=report
                ).values()
            sides[side] = _loops([result["runs"] for result in results])
        spice, surrogate = sides["spice"], sides["surrogate"]
        # Before the first epoch both are equal.
        rng = generator(request.seed, (_TEST,))
        p_value = exchange_p_value(spice.error[:, 0, 1:], surrogate.error[:, :, 1:], rng)
        states_p_value = exchange_p_value(spice.parallel[:, 0], surrogate.parallel, rng)
        result = PatternsResult(architecture, learning, spice, surrogate, p_value, states_p_value)
        timed = provenance | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_json(request.folder / "patterns.json", result.to_json() | {"provenance": timed})
        draw(result, request.folder / "patterns.png")
        checkpoint.remove()
    return result


def spice_loops(task: LoopTask) -> dict[str, Any]:
    """Return one seed's loop in SPICE, as plain data; raises as `SpiceArray` does."""
    with SpiceArray(task.model, _start(task), task.root_seed, (_SPICE, task.number)) as array:
        return {"runs": [train(array, patterns(), _orders(task), task.learning)]}


def surrogate_loops(task: LoopTask) -> dict[str, Any]:
    """Return one seed's loops on the surrogate, as plain data."""
    runs = []
    for run in range(SURROGATE_RUNS):
        rng = generator(task.root_seed, (_SURROGATE, task.number, run))
        array = SurrogateArray(task.model, _start(task), rng)
        runs.append(train(array, patterns(), _orders(task), task.learning))
    return {"runs": runs}


def mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of `values`, (seeds, runs, ...), and its standard error over the seeds."""
    by_seed = values.mean(axis=1)
    return by_seed.mean(axis=0), by_seed.std(axis=0, ddof=1) / np.sqrt(len(by_seed))


def exchange_p_value(spice: np.ndarray, surrogate: np.ndarray, rng: np.random.Generator) -> float:
    """Return the p-value of a permutation test that what is seen on both sides is drawn from one distribution.

    The unit is a whole run, as what is seen of it is correlated. All runs of a seed have the same start and the same
    samples, so that SPICE's could be any of them: it is exchanged with the surrogate's within the seed. The statistic
    is the sum over what is seen of the squared mean over seeds of SPICE's deviation, over its variance. The test is
    exact.

    Args:
        spice: (seeds, n), such as the error after each of n epochs.
        surrogate: (seeds, runs, n).
    """
    curves = np.concatenate((spice[:, None], surrogate), axis=1)
    deviation = curves - curves.mean(axis=1, keepdims=True)
    variance = (deviation**2).mean(axis=(0, 1))
    moving = variance > 0
    if not moving.any():
        return 1.0
    scaled = deviation[:, :, moving] / np.sqrt(variance[moving])
    seeds, runs, _ = scaled.shape

    def statistic(chosen: np.ndarray) -> np.ndarray:
        return np.asarray((scaled[np.arange(seeds), chosen].mean(axis=-2) ** 2).sum(axis=-1))

    observed = float(statistic(np.zeros(seeds, dtype=int)))
    permuted = statistic(rng.integers(runs, size=(_PERMUTATIONS, seeds)))
    return (int((permuted >= observed * (1 - 1e-12)).sum()) + 1) / (_PERMUTATIONS + 1)


def _start(task: LoopTask) -> Cells:
    state = generator(task.root_seed, (_START, task.number)).integers(0, 2, (ROWS, COLUMNS))
    return Cells.nominal(task.model.parameters, state, task.model.array.r_short_ohm)


def _orders(task: LoopTask) -> np.ndarray:
    rng = generator(task.root_seed, (_ORDER, task.number))
    return np.array([rng.permutation(len(patterns().x)) for _ in range(task.epochs)])


def _loops(seeds: Sequence[Sequence[dict[str, Any]]]) -> Loops:
    """Return loops from one list of `train`'s results for each seed."""
    names = Loops.__dataclass_fields__
    return Loops(**{name: np.array([[run[name] for run in runs] for runs in seeds]) for name in names})

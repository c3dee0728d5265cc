"""Speed of the paper's rule on MNIST's 2L100, one sample at a time on one core, beside a kernel without any thought.

The naive kernel is compiled too: it reads densely, looks every synapse up in the calibrated surface and draws a random
number for it. Times are the process's own CPU time, the best of a few repeats. Without MNIST's files images are drawn.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._entry import entry
from benchmarks._timing import best_of
from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import load_card
from mtjspice.cards.training import PerSample, Switching
from mtjspice.jobs.progress import progress
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.model import ArrayModel, array_model
from mtjspice.switching.cell_kernels import lookup
from mtjspice.training.datasets import load_dataset
from mtjspice.training.networks import Network, targets
from mtjspice.training.per_sample import PerSampleRule
from mtjspice.training.published import DATA_FOLDER
from mtjspice.training.rule import Hardware, Problem

_SIZES, _BIAS_ROWS, _SCALES = (784, 100, 10), (1, 10), (0.05, 0.1)
_INK = 0.19
"""Share of pixels that are not zero."""
_IMAGES = 60_000
_WARM, _TIMED, _TIMED_NAIVELY = 2000, 6000, 200
_LEVELS = 1025
_UNIT, _OVER_AIHWKIT = "samples/s", 25
_LEAST_DELTA = 0.2
"""Of the gated rule, which then makes some four flips a sample."""


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    return [*speed(), *memory()]


def speed() -> list[dict[str, Any]]:
    """Return samples per second beside the naive kernel's, and beside aihwkit's where that is installed."""
    model, problem = _model(), _problem(_WARM + _TIMED)
    theirs_per_s, found = _aihwkit(), []
    for gate, least_delta, over_naive in (("literal", 0.0, 15), (f"|delta| > {_LEAST_DELTA:g}", _LEAST_DELTA, 100)):
        ours_per_s, naive_per_s = _samples_per_s(model, problem, least_delta)
        name = f"2L100 sample by sample, {gate}"
        found.append(entry(f"{name} / naive kernel", ours_per_s, _UNIT, "at least", over_naive, baseline=naive_per_s))
        if theirs_per_s is None:
            found.append(entry(f"{name} / aihwkit (skipped: not installed)", None, _UNIT, "at least", _OVER_AIHWKIT))
        else:
            name = f"{name} / aihwkit"
            found.append(entry(name, ours_per_s, _UNIT, "at least", _OVER_AIHWKIT, baseline=theirs_per_s))
    return found


def _samples_per_s(model: ArrayModel, problem: Problem, least_delta: float) -> tuple[float, float]:
    """Return ours and the naive kernel's."""
    rule, rng = _rule(model, problem, least_delta), np.random.default_rng(1)
    rule.epoch(np.arange(_WARM), rng)
    naive = Naive(model, [weight.astype(float) for weight in rule.weights()], problem, least_delta)
    order = np.arange(_WARM, _WARM + _TIMED)
    ours_s = best_of(lambda: rule.epoch(order, rng), repeats=3) / _TIMED
    naive_s = best_of(lambda: naive.epoch(order[:_TIMED_NAIVELY], rng), repeats=3) / _TIMED_NAIVELY
    return 1 / ours_s, 1 / naive_s


def _aihwkit() -> float | None:
    """Return its samples per second, or None where ``make bench-aihwkit`` has not installed it."""
    folder = Path(__file__).parent / "aihwkit"
    interpreter = folder / ".venv" / "bin" / "python"
    if not interpreter.exists():
        return None
    command = [str(interpreter), str(folder / "samples_per_second.py")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    return float(done.stdout.split()[-1])


def memory() -> list[dict[str, Any]]:
    """Return the peak memory of a process that trains on all images."""
    code = "from benchmarks import training; print(training.peak_mb())"
    done = subprocess.run([sys.executable, "-c", code], cwd=_top(), capture_output=True, text=True, check=True)
    return [entry("2L100 on MNIST, memory of a process", float(done.stdout), "MB", "at most", 600)]


def peak_mb() -> float:
    """Return the peak memory of this process after an epoch on a part of all images."""
    import resource  # not on Windows

    rule = _rule(_model(), _problem(_IMAGES), 0.0)
    rule.epoch(np.arange(_WARM), np.random.default_rng(1))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Device(NamedTuple):
    tables: Any
    """Of the surfaces; pairs are by the state that is left, AP (0) or P (1)."""
    voltage_v: Any
    """(2, levels) over the junction, at equally spaced |x| from 0 to 1."""
    t0_s: float
    t1_s: float
    select_ohm: float


class Naive:
    """The same network, rule and junctions.

    Args:
        model: of 1T1R cells.
        weights: for each layer (rows, columns), +1 and -1; changed.
        problem: what is learnt.
        least_delta: columns of |delta| up to it are not written.
    """

    def __init__(self, model: ArrayModel, weights: list[np.ndarray], problem: Problem, least_delta: float) -> None:
        self.weights, self._problem, self._least_delta = tuple(weights), problem, least_delta
        coefficients = [model.drive.coefficients[direction] for direction in (Direction.AP_TO_P, Direction.P_TO_AP)]
        self._device = _Device(
            tables=tuple(model.surfaces[direction].tables for direction in (Direction.AP_TO_P, Direction.P_TO_AP)),
            voltage_v=np.array([c.voltage_v(np.linspace(0, 1, _LEVELS)) for c in coefficients]),
            t0_s=model.drive.t0_s,
            t1_s=model.drive.t1_s,
            select_ohm=model.select_ohm,
        )

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> int:
        """Train on the samples `order`, (n,), and return the flips."""
        problem = self._problem
        return int(
            _train(
                rng, self._device, *self.weights, problem.scales, problem.x, problem.targets, order, self._least_delta
            )
        )


@compiled()
def _train(rng, device, first, second, scales, x, targets, order, least_delta):  # type: ignore[no-untyped-def]
    hidden, flips = first.shape[1], 0
    x_1, x_2 = np.ones(first.shape[0]), np.ones(second.shape[0])
    for k in order:
        x_1[: x.shape[1]] = x[k]
        y_1 = _read(first, scales[0], x_1)
        x_2[:hidden] = y_1
        y_2 = _read(second, scales[1], x_2)
        delta_2 = np.minimum(np.maximum((y_2 - targets[k]) * (1.0 - y_2**2), -1.0), 1.0)
        delta_1 = np.zeros(hidden)
        for j in range(hidden):
            for n in range(delta_2.size):
                delta_1[j] += scales[1] * second[j, n] * delta_2[n]
            delta_1[j] *= 1.0 - y_1[j] ** 2
        flips += _write(rng, device, first, x_1, delta_1, least_delta)
        flips += _write(rng, device, second, x_2, delta_2, least_delta)
    return flips


@compiled()
def _read(weight, scale, x):  # type: ignore[no-untyped-def]
    y = np.zeros(weight.shape[1])
    for i in range(x.size):
        for j in range(y.size):
            y[j] += x[i] * weight[i, j]
    return np.tanh(scale * y)


@compiled()
def _write(rng, device, weight, x, delta, least_delta):  # type: ignore[no-untyped-def]
    flips = 0
    for i in range(x.size):
        for j in range(delta.size):
            product = x[i] * delta[j]
            state = 1 if product > 0.0 else 0
            v_v = device.voltage_v[state, int(min(abs(x[i]), 1.0) * (_LEVELS - 1) + 0.5)]
            t_s = device.t0_s + device.t1_s * min(abs(delta[j]), 1.0)
            p = lookup(device.tables[state], v_v, t_s, device.select_ohm)
            driven = product != 0.0 and abs(delta[j]) > least_delta
            if rng.random() < p and driven and (weight[i, j] > 0.0) == (state == 1):
                weight[i, j] = -weight[i, j]
                flips += 1
    return flips


def _rule(model: ArrayModel, problem: Problem, least_delta: float) -> PerSampleRule:
    settings = PerSample(epochs=1, bias_rows=_BIAS_ROWS, least_delta=least_delta)
    hardware = Hardware(model, phases=2, variation_percent=0.0, switching=Switching.PHYSICAL)
    return PerSampleRule(problem, hardware, settings, np.random.default_rng(2))


def _problem(count: int) -> Problem:
    network = Network(_SIZES, _BIAS_ROWS)
    folder = os.environ.get(DATA_FOLDER)
    if folder and (Path(folder) / "mnist").is_dir():
        data = load_dataset("mnist")
        x, labels = data.x_train[:count] / np.float32(255), data.y_train[:count]
    else:
        rng = np.random.default_rng(3)
        x = np.zeros((count, _SIZES[0]), np.float32)
        # Brightness as of ink, 0.67 on average.
        ink = rng.random(x.shape, np.float32) < _INK
        x[ink] = np.sqrt(rng.random(int(ink.sum()), np.float32))
        labels = rng.integers(0, _SIZES[-1], count)
    return Problem(x, targets(labels, _SIZES[-1]), network, np.array(_SCALES))


def _model() -> ArrayModel:
    return array_model(
        Architecture.ONE_T_ONE_R,
        load_card("mondal2018"),
        load_array("array45"),
        load_campaign("table3").targets,
        progress=progress,
    )


def _top() -> Path:
    return Path(__file__).parents[1]

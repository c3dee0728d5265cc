"""One network trained from one seed: everything that determines it, and what comes out."""

import base64
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cards.training import RuleName
from mtjspice.errors import InputError
from mtjspice.jobs.seeds import generator
from mtjspice.training.batch import BatchRule
from mtjspice.training.counter import CounterRule
from mtjspice.training.datasets import Dataset, load_dataset
from mtjspice.training.epoch_file import EpochFile
from mtjspice.training.networks import Network, classified, network_sizes, outputs_of, targets
from mtjspice.training.normalise import normalise
from mtjspice.training.per_sample import PerSampleRule
from mtjspice.training.per_sample_1r import PerSampleOneRRule
from mtjspice.training.plan import Scenario, TrainingPlan
from mtjspice.training.programmed import programmed_weights
from mtjspice.training.rule import Hardware, Problem, Rule, Tally
from mtjspice.training.software import SoftwareRule

_CURVE_SAMPLES = 10_000
"""At most, of the training part, for the error after every epoch."""
_START, _ORDER, _EPOCH, _SCALE, _PROGRAM, _VALIDATION = range(6)


@dataclass(frozen=True)
class TrainingTask:
    """Everything that determines a run.

    Args:
        plan: what is trained.
        hardware: what learns; None in software.
        number: of the run. Runs of one number share splits and the order of samples, whatever else differs.
    """

    plan: TrainingPlan
    hardware: Hardware | None
    number: int

    def rng(self, *key: int) -> np.random.Generator:
        """Return the generator of one use."""
        return generator(self.plan.root_seed, (self.number, *key))


@dataclass(frozen=True)
class Followed:
    """A task whose epochs are kept in a file, so that a killed run goes on.

    Args:
        task: the run.
        path: of the file; None keeps nothing.
        identity: of everything that determines the run.
    """

    task: TrainingTask
    path: Path | None
    identity: str


def train_task(followed: Followed) -> dict[str, Any]:
    """Return what a run comes to, as plain data.

    Returns:
        ``test_error``; ``train_mse`` and ``test_errors``, before the first epoch and after each; ``confusion``, by true
        class and by the one named; ``epochs``, what happened in each; ``scales``; ``clipped_x``; ``price``;
        ``samples_per_s``; ``states``, of each layer's cells, packed.

    Raises:
        MtjspiceError: data, network or settings that cannot be used.
    """
    task = followed.task
    data, clipped_x = _data(task)
    return _Run(task, data).finish(EpochFile(followed.path, followed.identity)) | {"clipped_x": clipped_x}


def _data(task: TrainingTask) -> tuple[Dataset, float]:
    """Return normalised data and the clipped fraction of its training part."""
    plan = task.plan
    data = load_dataset(plan.data, plan.split, plan.root_seed, task.number)
    if plan.validation:
        data = data.with_validation(plan.validation, task.rng(_VALIDATION))
    normalised = normalise(data, plan.card.normalise)
    return normalised.dataset, normalised.clipped_train


class _Run:
    """A rule with its data, epoch by epoch."""

    def __init__(self, task: TrainingTask, data: Dataset) -> None:
        self._task, self._data = task, data
        name, card = task.plan.learns_by, task.plan.card
        sizes = network_sizes(task.plan.net, data.x_train.shape[1], len(data.classes))
        settings = getattr(card, name.value)
        network = Network(sizes, settings.bias_rows)
        self._targets = targets(data.y_train, sizes[-1])
        scales = np.ones(len(network.shapes))
        if name is not RuleName.REAL:
            scales = self._scales(network, settings.spread) if settings.spread else self._real_scales(sizes)
        self._problem = Problem(data.x_train, self._targets, network, scales)
        self._rule = _rule(name, self._problem, task)

    def finish(self, kept: EpochFile) -> dict[str, Any]:
        """Train to the end, on from the epochs in `kept`."""
        task, rule = self._task, self._rule
        history, state = kept.load()
        if history:
            rule.restore(state)
        else:
            history = [self._measured(Tally(), 0.0)]
        for epoch in range(len(history) - 1, task.plan.epochs):
            started = time.monotonic()
            order = task.rng(_ORDER, epoch).permutation(len(self._problem.x))
            tally = rule.epoch(order, task.rng(_EPOCH, epoch))
            history.append(self._measured(tally, time.monotonic() - started))
            kept.save(history, rule.state())
        if task.plan.scenario is not Scenario.PROGRAMMED:
            return self._result(history, rule.weights(), rule.cell_states())
        assert task.hardware is not None
        programmed = programmed_weights(task.hardware, rule.weights(), task.rng(_PROGRAM))
        tally = programmed.tally
        history.append(history[-1] | {"flips": tally.flips, "false_flips": tally.false_flips})
        history[-1]["test_error"] = self._test_error(programmed.weights)
        return self._result(history, programmed.weights, programmed.states)

    def _scales(self, network: Network, spread: tuple[float, float]) -> np.ndarray:
        """Return b of each layer, for sums of that spread; past the first layer inputs count as +1 and -1."""
        inputs = [float(np.square(self._data.x_train, dtype=np.float32).mean(axis=0, dtype=float).sum())]
        inputs += [float(units) for units in network.sizes[1:-1]]
        return np.array(network.by_layer(spread)) / np.sqrt(inputs)

    def _real_scales(self, sizes: tuple[int, ...]) -> np.ndarray:
        """Return b = mean |W| of each layer of a network of real weights (section 3.2)."""
        settings = self._task.plan.card.real
        network = Network(sizes, settings.bias_rows)
        problem = Problem(self._data.x_train, self._targets, network, np.ones(len(network.shapes)))
        rule = SoftwareRule(problem, settings, False, self._task.rng(_SCALE))
        for epoch in range(settings.epochs):
            rng = self._task.rng(_SCALE, epoch)
            rule.epoch(rng.permutation(len(problem.x)), rng)
        return np.array([float(np.abs(weight).mean()) for weight in rule.weights()])

    def _outputs(self, weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
        return outputs_of(weights, self._problem.scales, x)

    def _test_error(self, weights: list[np.ndarray]) -> float:
        return float((classified(self._outputs(weights, self._data.x_test)) != self._data.y_test).mean())

    def _step_s(self) -> float:
        """Return how long one sample takes the hardware: reads forward and back, and its share of writes; 0 without."""
        hardware = self._task.hardware
        if hardware is None:
            return 0.0
        timing, read = hardware.model.array.timing, hardware.model.array.read
        reads = 2 * len(self._problem.network.shapes) - 1
        return reads * (read.t_read_s + timing.gap_s) + self._rule.price.write_s

    def _measured(self, tally: Tally, seconds: float) -> dict[str, Any]:
        """Return an epoch's record."""
        weights = self._rule.weights()
        seen = self._outputs(weights, self._problem.x[:_CURVE_SAMPLES])
        return {
            "train_mse": float(((seen - self._targets[:_CURVE_SAMPLES]) ** 2).mean()),
            "test_error": self._test_error(weights),
            "seconds": seconds,
            "flips": tally.flips,
            "false_flips": tally.false_flips,
            "written": tally.written,
            "clipped": tally.clipped,
            "noted": tally.noted,
            "step_j": float(np.mean(tally.energy_j)) if tally.energy_j else 0.0,
        }

    def _result(
        self, history: list[dict[str, Any]], weights: list[np.ndarray], states: list[np.ndarray]
    ) -> dict[str, Any]:
        data = self._data
        named = classified(self._outputs(weights, data.x_test))
        confusion = np.zeros((len(data.classes), len(data.classes)), int)
        np.add.at(confusion, (data.y_test, named), 1)
        # The first epoch holds the kernels' compilation.
        seconds = [record["seconds"] for record in history[1:]]
        trained = seconds[1:] or seconds
        price = self._rule.price
        return {
            "test_error": float((named != data.y_test).mean()),
            "train_mse": [record["train_mse"] for record in history],
            "test_errors": [record["test_error"] for record in history],
            "confusion": confusion.tolist(),
            "classes": list(data.classes),
            "epochs": history[1:],
            "samples": len(data.y_train),
            "test_samples": len(data.y_test),
            "data_sha256": data.sha256,
            "sizes": list(self._problem.network.sizes),
            "bias_rows": list(self._problem.network.bias_rows),
            "scales": self._problem.scales.tolist(),
            "price": {
                "write_phases": price.write_phases,
                "junctions": price.junctions,
                "digital_bits": price.digital_bits,
                "remark": price.remark,
            },
            "step_s": self._step_s(),
            "samples_per_s": len(data.y_train) / float(np.median(trained)),
            "states": [packed(state == 1) for state in states],
        }


def _rule(name: RuleName, problem: Problem, task: TrainingTask) -> Rule:
    card, hardware, rng = task.plan.card, task.hardware, task.rng(_START)
    if name in (RuleName.REAL, RuleName.BINARY_CONNECT):
        return SoftwareRule(problem, getattr(card, name.value), name is RuleName.BINARY_CONNECT, rng)
    assert hardware is not None
    one_r = hardware.model.architecture is Architecture.ONE_R
    if name is RuleName.PER_SAMPLE:
        return (PerSampleOneRRule if one_r else PerSampleRule)(problem, hardware, card.per_sample, rng)
    if one_r:
        raise InputError(
            f"the rule {name} needs cells that are written one column at a time, without sneak paths",
            given="--arch 1r",
            allowed="--arch 1t1r, or --rule per_sample",
        )
    if name is RuleName.BATCH:
        return BatchRule(problem, hardware, card.batch, rng)
    return CounterRule(problem, hardware, card.counter, rng)


def packed(states: np.ndarray) -> str:
    """Return states, (rows, columns) bool, as text."""
    return base64.b64encode(np.packbits(states).tobytes()).decode()


def unpacked(text: str, shape: tuple[int, int]) -> np.ndarray:
    """Return what `packed` was given, (rows, columns) uint8."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=shape[0] * shape[1])
    return bits.reshape(shape)

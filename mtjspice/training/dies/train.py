"""Training of a network for dies: BinaryConnect by Adam, with what is known of dies in the loop."""

from typing import Any

import numpy as np

from mtjspice.crossbar.pairs import PairParts
from mtjspice.training.datasets import Dataset
from mtjspice.training.dies.descent import cosine_rate, descend
from mtjspice.training.dies.gradient import Parameters, gradient, signs
from mtjspice.training.dies.known import KnownDies, Parts
from mtjspice.training.dies.network import BinaryNetwork, Columns, passed_on, sigmoid, spread_of
from mtjspice.training.dies.plan import DieMethod, DiePlan
from mtjspice.training.epoch_file import EpochFile

_START, _ORDER, _DIES, _COLUMNS = range(1, 5)
_GAIN_2 = 2.0
"""Of outputs at the start."""
_COLUMN_IMAGES, _COLUMN_DIES = 10_000, 64
"""From which the columns' mean and deviation are found at the end."""


def train_for_dies(
    plan: DiePlan, data: Dataset, sizes: tuple[int, int, int], known: KnownDies, kept: EpochFile
) -> tuple[BinaryNetwork, list[dict[str, Any]]]:
    """Return the trained network, and of each epoch the mean ``loss``.

    Args:
        plan: of the training.
        data: normalised; as many features as inputs.
        sizes: inputs, hidden units, outputs.
        known: the dies in the loop; nominal ones for ideal training.
        kept: finished epochs, from which it goes on.
    """
    run = _Run(plan, data, sizes, known)
    history, state = kept.load()
    if history:
        run.restore(state)
    for epoch in range(len(history), plan.epochs):
        history.append({"loss": run.epoch(epoch)})
        kept.save(history, run.state())
    return run.network(), history


class _Run:
    def __init__(self, plan: DiePlan, data: Dataset, sizes: tuple[int, int, int], known: KnownDies) -> None:
        self._plan, self._data, self._known = plan, data, known
        inputs, hidden, outputs = sizes
        rng = plan.rng(_START)

        def latent(shape: tuple[int, int]) -> np.ndarray:
            return rng.uniform(-1, 1, shape).astype(np.float32)

        def filled(size: int, value: float) -> np.ndarray:
            return np.full(size, value, np.float32)

        self._parameters = Parameters(
            first=latent((inputs, hidden)),
            second=latent((hidden, outputs)),
            gain_1=filled(hidden, 1.0),
            offset_1=filled(hidden, 0.0),
            gain_2=filled(outputs, _GAIN_2),
            offset_2=filled(outputs, 0.0),
        )
        self._moments = Parameters(*(np.zeros((2, *value.shape), np.float32) for value in self._parameters))
        self._steps = 0
        statistics = plan.method is DieMethod.STATISTICS_AWARE
        self._dies = min(plan.dies_per_batch, known.count) if statistics and not plan.calibrated else 1

    def epoch(self, number: int) -> float:
        """Train one epoch and return its mean loss."""
        plan, data = self._plan, self._data
        order = plan.rng(_ORDER, number).permutation(len(data.x_train))
        rng = plan.rng(_DIES, number)
        images = max(1, plan.batch // self._dies)
        size = images * self._dies
        losses = []
        for start in range(0, max(1, len(order) - size + 1), size):
            chosen = np.resize(order[start : start + size], size).reshape(self._dies, images)
            found, loss = gradient(
                self._parameters,
                self._known.some(self._dies, rng),
                data.x_train[chosen],
                data.y_train[chosen],
                shared=not plan.calibrated,
                blind=plan.method is DieMethod.CHIP_IN_THE_LOOP,
            )
            self._step(found, plan.epochs * max(1, len(order) // size))
            losses.append(loss)
        return float(np.mean(losses))

    def _step(self, found: Parameters, steps: int) -> None:
        """Take one step of Adam."""
        rate = cosine_rate(self._plan.learning_rate, min(self._steps / steps, 1.0))
        self._steps += 1
        for value, slope, moments in zip(self._parameters, found, self._moments, strict=True):
            descend(value, slope, moments, self._steps, rate)
        for latent in (self._parameters.first, self._parameters.second):
            np.clip(latent, -1, 1, out=latent)

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that training has changed."""
        found = {"steps": np.array(self._steps)}
        for kind, values in (("value", self._parameters), ("moments", self._moments)):
            found |= {f"{kind}_{name}": value for name, value in values._asdict().items()}
        return found

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned."""
        self._steps = int(state["steps"])
        for kind, values in (("value", self._parameters), ("moments", self._moments)):
            for name, value in values._asdict().items():
                value[:] = state[f"{kind}_{name}"]

    def network(self) -> BinaryNetwork:
        """Return the network, its columns' mean and deviation as they are on the known dies."""
        parameters, copies = self._parameters, self._plan.copies
        rng = self._plan.rng(_COLUMNS)
        parts = self._known.some(_COLUMN_DIES, rng)
        dies = len(parts[0].a)
        images = max(1, min(_COLUMN_IMAGES, len(self._data.x_train)) // dies)
        order = rng.permutation(len(self._data.x_train))
        x = self._data.x_train[np.resize(order, dies * images)]
        weights = (signs(parameters.first), np.tile(signs(parameters.second), (1, copies)))
        gains = (parameters.gain_1, np.tile(parameters.gain_2, copies))
        offsets = (parameters.offset_1, np.tile(parameters.offset_2, copies))
        carried, columns = x.reshape(dies, -1, x.shape[1]), []
        for n in range(2):
            sums = carried @ _seen(parts, weights[n], n)
            columns.append(Columns(gains[n], offsets[n], *spread_of(sums.reshape(-1, sums.shape[-1]))))
            carried = sigmoid(passed_on(sums, columns[n]))
        binary = (weights[0].astype(np.int8), signs(parameters.second).astype(np.int8))
        return BinaryNetwork(binary, (columns[0], columns[1]), copies)


def _seen(parts: Parts, weights: np.ndarray, layer: int) -> np.ndarray:
    part: PairParts = parts[layer]
    return part.a * weights + part.b

"""Quantised weights learnt by the chopped counter (`training.counter`): no memory for them but junctions.

A synapse has an accumulator A and a counter of n bits, in junctions. Its weight is read from the two highest bits, W =
b1 + b0 - 1, so that a quarter of the counter's range is -1, a quarter +1, and what lies between is 0; binary weights
are the highest bit alone.

A batch goes forward and back, and then sample by sample into A, all columns at once: rows whose input is not 0 are
driven at one current, and a column's error sets its pulse width (Mondal & Srivastava, eq. 6). Inputs between 0 and 1
are driven with that probability, which makes what is noted proportional to them on average. After the batch every
column's counters move, A is reset, and the column's chop changes its sign.

Errors of a layer have one factor, so that pulses neither vanish nor saturate while training goes on: it makes a mean
error the larger, the fewer rows are driven. There is no memory for each weight, but a batch's inputs and errors wait.
"""

from typing import NamedTuple

import numpy as np

from mtjspice.cards.training import Switching
from mtjspice.crossbar.ternary import WeightKind
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.training.counter import Timing, count_errors, counters_state, new_counters, restore_counters
from mtjspice.training.layers import new_signals
from mtjspice.training.rule import Hardware
from mtjspice.training.ternary.plan import Counting

_SMALLEST = 1e-30
"""Mean of inputs and errors: where all are 0, nothing is noted."""


class Learnt(NamedTuple):
    """What a batch came to, summed over synapses."""

    pulses: int
    """Of accumulators."""
    flips: int
    """Weights that changed."""


class CountedWeights:
    """The weights of all layers, in counters.

    Args:
        kind: of weights.
        hardware: of 1T1R cells.
        shapes: (rows, columns) of each layer.
        settings: of the rule.
        rng: draws the start: counters, and resistances where they vary.
    """

    def __init__(
        self,
        kind: WeightKind,
        hardware: Hardware,
        shapes: list[tuple[int, int]],
        settings: Counting,
        rng: np.random.Generator,
    ) -> None:
        self._kind, self._settings = kind, settings
        self._ideal = hardware.switching is Switching.IDEAL
        self._device = write_device(hardware.model)
        bits, eta = settings.bits, 1.0 if self._ideal else 0.0
        self._layers = tuple(
            new_counters(
                hardware, self._device, rng.integers(2**bits, size=shape), bits, eta, settings.t_strong_s, True, rng
            )
            for shape in shapes
        )
        self._signals = new_signals(shapes)

    def weights(self) -> list[np.ndarray]:
        """Return for each layer what a read sees, (columns, rows) float32."""
        found = []
        for layer in self._layers:
            first = layer.weight.weight.T
            if self._kind is WeightKind.BINARY:
                found.append(first)
                continue
            second = layer.low >> (layer.bits - 2)
            found.append((first + np.where(second == 1, layer.second_weight_of[1], layer.second_weight_of[0])) / 2)
        return found

    def held(self) -> list[np.ndarray]:
        """Return for each layer what its counters hold, (columns, rows) int16 from 0 to 2^bits - 1."""
        return [layer.low + (layer.weight.state.astype(np.int16) << (layer.bits - 1)) for layer in self._layers]

    def written(self) -> list[np.ndarray]:
        """Return for each layer the weights that its junctions stand for, (columns, rows) int8."""
        found = []
        for layer in self._layers:
            first = layer.weight.state.astype(np.int8)
            if self._kind is WeightKind.BINARY:
                found.append(2 * first - 1)
            else:
                found.append(first + (layer.low >> (layer.bits - 2)).astype(np.int8) - 1)
        return found

    def learn(self, x: list[np.ndarray], delta: list[np.ndarray], rng: np.random.Generator) -> Learnt:
        """Note a batch's errors and let all counters move.

        Args:
            x: for each layer its inputs (samples, rows): 0 to 1 in the first, -1, 0 and 1 in the others.
            delta: for each layer the slopes of the loss (samples, columns), of any unit.
            rng: draws rows of the first layer, and writes.
        """
        settings = self._settings
        gain, level, least = settings.gain, settings.level, settings.least_width
        if self._ideal:
            gain, level, least = settings.ideal_gain, 1.0, 0.0
        driven, errors, pulses = [], [], 0
        for n, (layer, inputs, slopes) in enumerate(zip(self._layers, x, delta, strict=True)):
            scale = gain / max(float(np.abs(inputs).mean() * np.abs(slopes).mean()), _SMALLEST)
            rows = rng.random(inputs.shape) < inputs if n == 0 else inputs
            driven.append(np.multiply(rows, level, dtype=np.float32))
            errors.append((slopes * scale).clip(-1, 1).astype(np.float32))
            pulses += _pulses(driven[n], errors[n] * layer.chop, least)
        before = self.written()
        timing = Timing(len(x[0]), pipelined=False, least_delta=least)
        _count(rng, self._device, self._layers, self._signals, timing, tuple(driven), tuple(errors))
        flips = sum(int(np.count_nonzero(was != now)) for was, now in zip(before, self.written(), strict=True))
        return Learnt(pulses, flips)

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that learning has changed, by name."""
        return counters_state(self._layers)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned."""
        restore_counters(self._layers, state)


def _pulses(x: np.ndarray, chopped: np.ndarray, least: float) -> int:
    """Return how many cells are driven: by rows of either sign, in columns whose error then has their chop's."""
    found = 0
    for sign in (1, -1):
        found += int((x * sign > 0).sum(axis=1) @ (chopped * -sign > least).sum(axis=1))
    return found


@compiled()
def _count(rng, device, layers, signals, timing, x, delta):  # type: ignore[no-untyped-def]
    """Note the samples' errors in all layers, and transfer all columns after the last."""
    counts = np.zeros(7, np.int64)
    rows = [np.empty(driven.size, np.int64) for driven in signals.x]
    for k in range(len(x[0])):
        for n in range(len(x)):
            signals.x[n][:] = x[n][k]
            signals.delta[n][:] = delta[n][k]
        count_errors(rng, device, layers, signals, timing, k + 1, rows, counts)

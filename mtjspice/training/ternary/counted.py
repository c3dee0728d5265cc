"""Quantised weights learnt by the chopped counter (`training.counter`): no memory for them but junctions.

A synapse has an accumulator A and a counter of n bits, in junctions. Its weight is read from the two highest bits, W =
b1 + b0 - 1, so that a quarter of the counter's range is -1, a quarter +1, and what lies between is 0; binary weights
are the highest bit alone.

A batch goes forward and back, and then sample by sample into A, all columns at once: rows whose input is not 0 are
driven at one current, and a column's error sets its pulse width (Mondal & Srivastava, eq. 6). Inputs between 0 and 1
are driven with that probability, which makes what is noted proportional to them on average. After the batch every
column's counters move, A is reset, and the column's chop changes its sign.

Errors of a layer have one factor, so that pulses neither vanish nor saturate while training goes on: over the batch,
inputs and errors have the same mean share in all layers.
"""

from typing import NamedTuple

import numpy as np

from mtjspice.cards.training import Counter, Switching
from mtjspice.crossbar.ternary import WeightKind
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.training.counter import Timing, count_errors, counters_at_start, new_counters
from mtjspice.training.crossbars import set_state
from mtjspice.training.layers import new_signals
from mtjspice.training.rule import Hardware

COUNTING = Counter(
    epochs=15,
    bias_rows=(0, 0),
    bits=(7, 7),
    period=100,
    pipelined=False,
    least_delta=0.02,
    eta=(1.0, 1.0),
    start=64,
    t_strong_s=10e-9,
)
"""Chosen on 10,000 held-out images of MNIST; bias rows and spread are not used. A period is a batch."""
_IDEAL_GAIN, _GAIN = 0.0042, 0.04
"""What a mean error at a mean input makes: an ideal probability, or a share of the longest pulse."""
_SMALLEST = 1e-30
_LEVEL = 0.5
"""Of driven rows, between I0 and I0 + I1: pulses from the shortest to the longest switch with 0.0055 to 0.30."""


class Counts(NamedTuple):
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
        settings: of the rule; `bits` of hidden layers and of the last one.
        rng: draws the start: counters, and resistances where they vary.
    """

    def __init__(
        self,
        kind: WeightKind,
        hardware: Hardware,
        shapes: list[tuple[int, int]],
        settings: Counter,
        rng: np.random.Generator,
    ) -> None:
        self._kind, self._settings = kind, settings
        self._ideal = hardware.switching is Switching.IDEAL
        self._device = write_device(hardware.model)
        bits = [settings.bits[n == len(shapes) - 1] for n in range(len(shapes))]
        eta = settings.eta[0] if self._ideal else 0.0
        self._layers = tuple(
            new_counters(
                hardware, self._device, counters_at_start(shape, n, settings.start, rng), n, eta, settings, True, rng
            )
            for shape, n in zip(shapes, bits, strict=True)
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
            found.append((first + np.where(second == 1, layer.second_of[1], layer.second_of[0])) / 2)
        return found

    def held(self) -> list[np.ndarray]:
        """Return for each layer what its counters hold, (columns, rows) int16 from 0 to 2^bits - 1."""
        return [layer.low + (layer.weight.state.astype(np.int16) << (layer.bits - 1)) for layer in self._layers]

    def learn(self, x: list[np.ndarray], delta: list[np.ndarray], rng: np.random.Generator) -> Counts:
        """Note a batch's errors and let all counters move.

        Args:
            x: for each layer its inputs (samples, rows): 0 to 1 in the first, -1, 0 and 1 in the others.
            delta: for each layer the slopes of the loss (samples, columns), of any unit.
            rng: draws rows of the first layer, and writes.
        """
        gain, level = (_IDEAL_GAIN, 1.0) if self._ideal else (_GAIN, _LEVEL)
        driven, errors, pulses = [], [], 0
        for n, (layer, inputs, slopes) in enumerate(zip(self._layers, x, delta, strict=True)):
            scale = gain / max(float(np.abs(inputs).mean() * np.abs(slopes).mean()), _SMALLEST)
            rows = rng.random(inputs.shape) < inputs if n == 0 else inputs
            driven.append(np.multiply(rows, level, dtype=np.float32))
            errors.append((slopes * scale).clip(-1, 1).astype(np.float32))
            pulses += _pulses(driven[n], errors[n] * layer.chop, self._settings.least_delta)
        before = self.weights()
        timing = Timing(len(x[0]), pipelined=False, least_delta=self._settings.least_delta)
        _count(rng, self._device, self._layers, self._signals, timing, tuple(driven), tuple(errors))
        flips = sum(np.count_nonzero(was != now) for was, now in zip(before, self.weights(), strict=True))
        return Counts(pulses, flips)

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that learning has changed, by name."""
        found = {}
        for n, layer in enumerate(self._layers):
            found |= {f"high_{n}": layer.weight.state, f"noted_{n}": layer.noted.state}
            found |= {f"low_{n}": layer.low, f"chop_{n}": layer.chop}
        return {name: array.copy() for name, array in found.items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned."""
        for n, layer in enumerate(self._layers):
            set_state(layer.weight, state[f"high_{n}"])
            set_state(layer.noted, state[f"noted_{n}"])
            layer.low[:], layer.chop[:] = state[f"low_{n}"], state[f"chop_{n}"]


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
    return counts

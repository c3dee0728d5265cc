"""Fine-tuning on a die with labelled images by the chopped counter (`training.counter`), without memory but junctions.

Every weight has a counter beside its pair: A and n bits, the highest of which says what is written into the pair. It
starts on its weight's side, `start` counts deep, so that evidence has to gather before a good network is changed. The
die answers as it is read, W_eff = a W + b, which holds whatever is stuck or shorted in a pair. The counters' own
junctions are taken for healthy: they vary as the hardware says, not at all if it is nominal, and pulses fail as its
surface says. Copies of an output's column share counters, and their errors are summed.

Per labelled image: forward; errors of the columns; A noted with the junctions' own probabilities for |x| and |delta|.
Once in a period counters move, and where a highest bit changes, the pair is rewritten.

A column's delta is dE/ds of the cross-entropy through its gain and deviation. As columns are calibrated in the end,
what calibration will undo is taken out: a column keeps running means of its sum, of its square, of its error, and of
its error times its sum, and its error is centred and made orthogonal to the sum. Without that all rows of a column
drift together. One factor for each layer makes pulses of errors: one in a hundred, in the first images, is beyond 1 and
clipped.

Price: 1 + n junctions for each weight, beside its pair and the copies'. One write phase an image, for inputs of either
layer are not negative and a column's chop admits one direction. A column's transfer is n + 1 digital reads of each of
its cells, three strong pulses, and a write of the pairs that change. Four numbers for each column, an adder of n bits
for each row, and a softmax are digital. An image is read forward by both arrays, and back by the second.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.training import Counter, Switching
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.training.counter import Timing, count_errors, new_counters
from mtjspice.training.dies.calibrate import calibrated
from mtjspice.training.dies.chip import Chip, on_die
from mtjspice.training.dies.known import Parts
from mtjspice.training.dies.network import LEAST_VARIANCE, BinaryNetwork, Columns
from mtjspice.training.layers import new_signals, read_columns
from mtjspice.training.rule import Hardware

FINE_TUNING = Counter(
    epochs=3,
    bias_rows=(0, 0),
    bits=(7, 7),
    period=50,
    pipelined=False,
    least_delta=0.03,
    eta=(1.0, 1.0),
    start=32,
    t_strong_s=10e-9,
)
"""For some 10,000 images, chosen on validation images and dies. Fewer images want more epochs, or a smaller start."""
_SCALING_IMAGES, _CLIPPED = 500, 0.01
"""From which a layer's factor is found, and the share of errors that it takes beyond 1."""
_RUNNING = 0.02
"""Weight of one image in running means."""


class _Columns(NamedTuple):
    """A layer of the die with its digital side; float32, (columns,) unless stated otherwise. All but a, b, gain and
    offset are changed."""

    a: Any
    """(rows, columns), as b and seen."""
    b: Any
    seen: Any
    gain: Any
    offset: Any
    mean: Any
    """Running, of the sum."""
    variance: Any
    sums: Any
    slope: Any
    """dE/dz, before centring; then dE/ds."""
    mean_slope: Any
    """Running, of dE/dz."""
    aligned: Any
    """Running, of dE/dz times the normalised sum."""


def fine_tuned(
    network: BinaryNetwork,
    parts: Parts,
    unlabelled: np.ndarray,
    x: np.ndarray,
    labels: np.ndarray,
    hardware: Hardware,
    settings: Counter,
    rng: np.random.Generator,
) -> BinaryNetwork:
    """Return the network with weights changed to suit a die, and columns calibrated.

    Args:
        network: as trained; its columns need not be calibrated.
        parts: of the die, at the rows and columns where the weights are.
        unlabelled: (m, inputs) images for calibration, before and after.
        x: (n, inputs) images, 0 to 1, in the order in which they come.
        labels: (n,) of them.
        hardware: of the counters' 1T1R cells.
        settings: of the rule. `start` is the counters' distance from the other side, cut to what they hold; bias rows
            and spread are not used.
        rng: draws the order of images after the first epoch, writes, and resistances where they vary.
    """
    network = calibrated(network, Chip(on_die(network.written, parts)), unlabelled)
    x, device = np.ascontiguousarray(x, dtype=np.float32), write_device(hardware.model)
    etas = settings.eta if hardware.switching is Switching.IDEAL else (0.0, 0.0)
    layers = tuple(
        new_counters(
            hardware, device, _start(weights, bits, settings.start), bits, eta, settings.t_strong_s, trains, rng
        )
        for weights, bits, eta, trains in zip(
            network.weights, settings.bits, etas, (True, settings.output_trains), strict=True
        )
    )
    signals = new_signals([weights.shape for weights in network.weights])
    columns = tuple(
        _columns(part.a, part.b, seen, of_layer)
        for part, seen, of_layer in zip(parts, on_die(network.written, parts), network.columns, strict=True)
    )
    factors = _factors(columns, x[:_SCALING_IMAGES], labels[:_SCALING_IMAGES], signals)
    timing = Timing(settings.period, settings.pipelined, settings.least_delta)
    for epoch in range(settings.epochs):
        order = rng.permutation(len(x)) if epoch else np.arange(len(x))
        _tune(rng, device, layers, columns, factors, timing, x, labels, order, signals, epoch * len(x))
    first, second = (2 * layer.weight.state.T.astype(np.int8) - 1 for layer in layers)
    tuned = BinaryNetwork((first, second), network.columns, network.copies)
    return calibrated(tuned, Chip(on_die(tuned.written, parts)), unlabelled)


def _start(weights: np.ndarray, bits: int, depth: int) -> np.ndarray:
    """Return what counters hold that are so many counts away from the other weight."""
    half = 2 ** (bits - 1)
    depth = min(half, depth)
    return np.where(weights > 0, half + depth - 1, half - depth)


def _columns(a: np.ndarray, b: np.ndarray, seen: np.ndarray, columns: Columns) -> _Columns:
    count = len(columns.gain)
    given = (a, b, seen, columns.gain, columns.offset, columns.mean, columns.deviation**2 - LEAST_VARIANCE)
    zeros = (np.zeros(count, np.float32) for _ in range(4))
    return _Columns(*(np.array(value, np.float32, order="C") for value in given), *zeros)


def _factors(columns: tuple[_Columns, ...], x: np.ndarray, labels: np.ndarray, signals: Any) -> np.ndarray:
    """Return for each layer by what errors are multiplied, and leave the columns as they were."""
    copied = tuple(_Columns(*(value.copy() for value in of_layer)) for of_layer in columns)
    sizes = [delta.size for delta in signals.delta]
    deltas = tuple(np.empty((len(x), size), np.float32) for size in sizes)
    _collect(copied, x, labels, signals, deltas)
    largest = [float(np.quantile(np.abs(delta), 1 - _CLIPPED)) for delta in deltas]
    return np.array([1 / max(value, 1e-12) for value in largest])


@compiled()
def _collect(columns, x, labels, signals, deltas):  # type: ignore[no-untyped-def]
    """Set deltas, for each layer (images, columns), to errors as they are."""
    for k in range(len(x)):
        _answer(columns, x[k], signals)
        _errors(columns, labels[k], signals)
        for n in range(len(deltas)):
            deltas[n][k] = signals.delta[n]


@compiled()
def _tune(rng, device, layers, columns, factors, timing, x, labels, order, signals, seen):  # type: ignore[no-untyped-def]
    """Fine-tune on the images `order`, of which `seen` went before."""
    counts = np.zeros(7, np.int64)
    rows = [np.empty(driven.size, np.int64) for driven in signals.x]
    for k in order:
        _answer(columns, x[k], signals)
        _errors(columns, labels[k], signals)
        for n in range(len(layers)):
            delta = signals.delta[n]
            for j in range(delta.size):
                delta[j] = min(max(factors[n] * delta[j], -1.0), 1.0)
        seen += 1
        flips = counts[0]
        count_errors(rng, device, layers, signals, timing, seen, rows, counts)
        if counts[0] > flips:
            for n in range(len(layers)):
                _rewrite(columns[n], layers[n].weight.state)


@compiled()
def _rewrite(columns, state):  # type: ignore[no-untyped-def]
    """Set what is seen of pairs, for the counters' highest bits, (outputs, rows)."""
    rows, count = columns.seen.shape
    for i in range(rows):
        for j in range(count):
            weight = np.float32(1) if state[j % state.shape[0], i] == 1 else np.float32(-1)
            columns.seen[i, j] = columns.a[i, j] * weight + columns.b[i, j]


@compiled()
def _answer(columns, image, signals):  # type: ignore[no-untyped-def]
    """Set the hidden units and, as y of the last layer, the shares of the classes; the columns follow their sums."""
    first, second = columns
    hidden, shares = signals.x[1], signals.y[1]
    signals.x[0][:] = image
    read_columns(first.seen, image, first.sums)
    _follow(first)
    for j in range(hidden.size):
        hidden[j] = 1.0 / (1.0 + math.exp(-_z(first, j)))
    read_columns(second.seen, hidden, second.sums)
    _follow(second)
    shares[:] = 0.0
    copies = second.sums.size // shares.size
    for j in range(second.sums.size):
        shares[j % shares.size] += _z(second, j) / copies
    top, total = shares.max(), 0.0
    for k in range(shares.size):
        shares[k] = math.exp(shares[k] - top)
        total += shares[k]
    for k in range(shares.size):
        shares[k] /= total


@compiled()
def _errors(columns, label, signals):  # type: ignore[no-untyped-def]
    """Set each layer's delta to dE/ds, summed over copies."""
    first, second = columns
    hidden, shares = signals.x[1], signals.y[1]
    copies = second.sums.size // shares.size
    for j in range(second.sums.size):
        wanted = 1.0 if j % shares.size == label else 0.0
        second.slope[j] = (shares[j % shares.size] - wanted) / copies
    _centre(second)
    signals.delta[1][:] = 0.0
    for j in range(second.sums.size):
        signals.delta[1][j % shares.size] += second.slope[j]
    for j in range(hidden.size):
        error = 0.0
        for k in range(second.slope.size):
            error += second.seen[j, k] * second.slope[k]
        first.slope[j] = error * hidden[j] * (1.0 - hidden[j])
    _centre(first)
    signals.delta[0][:] = first.slope


@compiled()
def _follow(columns):  # type: ignore[no-untyped-def]
    """Bring the running mean and variance of sums up to date."""
    for j in range(columns.sums.size):
        beyond = columns.sums[j] - columns.mean[j]
        columns.mean[j] += _RUNNING * beyond
        columns.variance[j] += _RUNNING * (beyond * beyond - columns.variance[j])


@compiled()
def _centre(columns):  # type: ignore[no-untyped-def]
    """Turn dE/dz into dE/ds, less its running mean and what goes along with the sum, which calibration would undo."""
    for j in range(columns.sums.size):
        normal, slope = _normal(columns, j), columns.slope[j]
        columns.mean_slope[j] += _RUNNING * (slope - columns.mean_slope[j])
        columns.aligned[j] += _RUNNING * (slope * normal - columns.aligned[j])
        slope -= columns.mean_slope[j] + normal * columns.aligned[j]
        columns.slope[j] = slope * columns.gain[j] / math.sqrt(columns.variance[j] + LEAST_VARIANCE)


@compiled()
def _normal(columns, j):  # type: ignore[no-untyped-def]
    return (columns.sums[j] - columns.mean[j]) / math.sqrt(columns.variance[j] + LEAST_VARIANCE)


@compiled()
def _z(columns, j):  # type: ignore[no-untyped-def]
    return columns.gain[j] * _normal(columns, j) + columns.offset[j]

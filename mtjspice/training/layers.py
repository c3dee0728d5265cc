"""A network of crossbars as compiled kernels see it: forward and backward through the arrays' reads.

Layer l has an array of (inputs + bias rows, outputs) cells; bias rows have x = 1. With y = tanh(a), a = b W x and
E = 1/2 sum (y - t)^2, an output's error is delta = dE/da = (y - t)(1 - y^2), and the one before it, by the transposed
read, delta = b W delta (1 - y^2) (Mondal & Srivastava, section 4.5).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import BINS, bin_of


class Signals(NamedTuple):
    """What runs through a network for one sample; one array for each layer."""

    x: tuple[Any, ...]
    """(rows,) what drives the rows: inputs, then ones for the bias."""
    y: tuple[Any, ...]
    """(columns,) outputs."""
    delta: tuple[Any, ...]
    """(columns,) errors, clipped to [-1, 1]."""


def new_signals(shapes: list[tuple[int, int]]) -> Signals:
    """Return signals for arrays of (rows, columns) cells, with ones in the bias rows."""
    return Signals(
        x=tuple(np.ones(rows, np.float32) for rows, _ in shapes),
        y=tuple(np.zeros(columns, np.float32) for _, columns in shapes),
        delta=tuple(np.zeros(columns, np.float32) for _, columns in shapes),
    )


@compiled()
def forward(weights, scales, sample, signals):  # type: ignore[no-untyped-def]
    """Set inputs and outputs of every layer.

    Args:
        weights: for each layer (rows, columns), as a read sees them.
        scales: (layers,) b.
        sample: (features,), -1 to 1.
        signals: changed.
    """
    signals.x[0][: sample.size] = sample
    for layer in range(len(weights)):
        y = signals.y[layer]
        read_columns(weights[layer], signals.x[layer], y)
        _squash(y, np.float32(scales[layer]))
        if layer + 1 < len(weights):
            signals.x[layer + 1][: y.size] = y


@compiled()
def read_columns(weight, x, y):  # type: ignore[no-untyped-def]
    """Set y, (columns,), to x weight, of (rows,) and (rows, columns)."""
    y[:] = 0.0
    rows = np.empty(x.size, np.int64)
    for n in range(_nonzero(x, 0.0, rows)):
        x_i, w_i = x[rows[n]], weight[rows[n]]
        for j in range(y.size):
            y[j] += x_i * w_i[j]


@compiled()
def _squash(y, scale):  # type: ignore[no-untyped-def]
    """Set y to tanh(scale y). Within a loop over layers this takes ten times as long."""
    for j in range(y.size):
        y[j] = math.tanh(scale * y[j])


@compiled()
def backward(weights, scales, target, signals):  # type: ignore[no-untyped-def]
    """Set the errors of every layer, clipped to [-1, 1], and return how many were beyond it.

    Args:
        weights: as for `forward`.
        scales: (layers,) b.
        target: (outputs,), -1 or +1.
        signals: with the inputs and outputs of a sample; changed.
    """
    clipped = 0
    for layer in range(len(weights) - 1, -1, -1):
        y, delta = signals.y[layer], signals.delta[layer]
        for j in range(y.size):
            if layer == len(weights) - 1:
                error = y[j] - target[j]
            else:
                weight, after = weights[layer + 1], signals.delta[layer + 1]
                error = 0.0
                for k in range(after.size):
                    error += weight[j, k] * after[k]
                error *= scales[layer + 1]
            delta[j] = error * (1.0 - y[j] * y[j])
            if abs(delta[j]) > 1.0:
                clipped += 1
                delta[j] = 1.0 if delta[j] > 0.0 else -1.0
    return clipped


@compiled()
def driven_rows(x, least, rows):  # type: ignore[no-untyped-def]
    """Return the rows with x above `least` and those with x below -`least`, both views into `rows`, (rows,) int64.

    They come by falling |x|, as `write_column` wants them.
    """
    chosen = np.empty(x.size, np.int64)
    count = _nonzero(x, least, chosen)
    # Where each bin's rows go: those of positive x from the highest on, then those of negative x.
    ends = np.zeros(2 * BINS + 1, np.int64)
    for k in range(count):
        ends[_order(x[chosen[k]]) + 1] += 1
    for n in range(2 * BINS):
        ends[n + 1] += ends[n]
    positive = ends[BINS]
    for k in range(count):
        n = _order(x[chosen[k]])
        rows[ends[n]] = chosen[k]
        ends[n] += 1
    return rows[:positive], rows[positive:count]


@compiled(forceinline=True)
def _nonzero(x, least, rows):  # type: ignore[no-untyped-def]
    """Put the rows with |x| above `least` into `rows` and return their number, without a jump at every other one."""
    count = 0
    for i in range(x.size):
        rows[count] = i
        count += 1 if abs(x[i]) > least else 0
    return count


@compiled(forceinline=True)
def _order(x):  # type: ignore[no-untyped-def]
    return BINS - 1 - bin_of(x) if x > 0.0 else 2 * BINS - 1 - bin_of(-x)

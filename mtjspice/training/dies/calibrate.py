"""What can be set on the digital side of a die once a network is written: columns' gains and offsets."""

import numpy as np

from mtjspice.training.dies.chip import Chip
from mtjspice.training.dies.descent import cosine_rate, descend
from mtjspice.training.dies.network import BinaryNetwork, Columns, softmax, spread_of

_TRIM_STEPS = 60
_TRIM_RATE = 0.005
"""Of Adam; it falls to 0 as a cosine."""


def calibrated(network: BinaryNetwork, chip: Chip, x: np.ndarray) -> BinaryNetwork:
    """Return the network with each column's mean and deviation as they are on this chip.

    Args:
        network: as trained.
        chip: with its weights.
        x: (n, inputs) images; labels are not needed.
    """
    first = _measured(network.columns[0], chip.read(0, x))
    hidden = network.with_columns(first, network.columns[1]).hidden(chip, x)
    return network.with_columns(first, _measured(network.columns[1], chip.read(1, hidden)))


def trimmed(network: BinaryNetwork, chip: Chip, x: np.ndarray, labels: np.ndarray) -> BinaryNetwork:
    """Return the network with gains and offsets of its output columns that lower the loss on labelled images."""
    sums = chip.read(1, network.hidden(chip, x))
    columns = network.columns[1]
    normal = (sums - columns.mean) / columns.deviation
    values = [columns.gain.astype(float), columns.offset.astype(float)]
    moments = [np.zeros((2, *value.shape)) for value in values]
    wanted = np.eye(network.sizes[2])[labels]
    for step in range(1, _TRIM_STEPS + 1):
        z = normal * values[0] + values[1]
        shares = softmax(z.reshape(len(x), network.copies, -1).mean(axis=1))
        slope = np.tile((shares - wanted) / (len(x) * network.copies), (1, network.copies))
        rate = cosine_rate(_TRIM_RATE, step / _TRIM_STEPS)
        slopes = ((slope * normal).sum(axis=0), slope.sum(axis=0))
        for value, moment, found in zip(values, moments, slopes, strict=True):
            descend(value, found, moment, step, rate)
    trimmed_columns = columns._replace(gain=values[0].astype(np.float32), offset=values[1].astype(np.float32))
    return network.with_columns(network.columns[0], trimmed_columns)


def _measured(columns: Columns, sums: np.ndarray) -> Columns:
    mean, deviation = spread_of(sums)
    return columns._replace(mean=mean, deviation=deviation)

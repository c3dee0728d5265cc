"""Rows and columns of a die's arrays exchanged, so that known defects fall where they do least harm.

Weight (i, j) goes to row r(i) and pair of columns c(j). What it costs is taken as the variance that its error adds to
the column's sum, Var(x_i) ((a - 1) W + b)^2, times the square of the loss's slope there, E[(dL/ds_j)^2]. Rows and
columns are assigned in turn, each time by a linear assignment (scipy), which never makes it dearer.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from mtjspice.crossbar.pairs import PairParts
from mtjspice.training.dies.known import Parts
from mtjspice.training.dies.network import BinaryNetwork, passed_on, sigmoid, softmax

_ROUNDS = 4


class Places(NamedTuple):
    """Where an array's weights go."""

    rows: np.ndarray
    """(rows,) the physical row of each."""
    columns: np.ndarray
    """(columns,) the physical pair of columns of each."""


class Worth(NamedTuple):
    """What errors of a layer's weights do."""

    variance: np.ndarray
    """(rows,) of inputs."""
    slope: np.ndarray
    """(columns,) mean square of dL/ds."""


def moved(parts: Parts, places: tuple[Places, ...]) -> Parts:
    """Return a die's parts by the rows and columns of the weights that go there."""
    first, second = (
        PairParts(part.a[np.ix_(*place)], part.b[np.ix_(*place)]) for part, place in zip(parts, places, strict=True)
    )
    return first, second


def identity(network: BinaryNetwork) -> tuple[Places, ...]:
    """Return places that move nothing."""
    return tuple(Places(*(np.arange(size) for size in weights.shape)) for weights in network.written)


def placed(weights: np.ndarray, place: Places) -> np.ndarray:
    """Return an array's weights, (rows, columns), where they are written."""
    found = np.empty_like(weights)
    found[np.ix_(*place)] = weights
    return found


def best_places(network: BinaryNetwork, worth: tuple[Worth, ...], parts: Parts) -> tuple[Places, ...]:
    """Return where weights should go on a die.

    Args:
        network: whose weights are written.
        worth: as `worth_of` found it.
        parts: what is known of the die; its map of defects is enough (`class_map`).
    """
    return tuple(
        _assigned(weights, of_layer, part)
        for weights, of_layer, part in zip(network.written, worth, parts, strict=True)
    )


def worth_of(network: BinaryNetwork, x: np.ndarray, labels: np.ndarray) -> tuple[Worth, Worth]:
    """Return what errors of the weights do to the loss, on images of the training part and without any fault."""
    first, second = (weights.astype(np.float32) for weights in network.written)
    columns_1, columns_2 = network.columns
    hidden = sigmoid(passed_on(x @ first, columns_1))
    z = passed_on(hidden @ second, columns_2).reshape(len(x), network.copies, -1).mean(axis=1)
    shares = softmax(z)
    shares[np.arange(len(x)), labels] -= 1
    slope_2 = np.tile(shares / network.copies, (1, network.copies)) * (columns_2.gain / columns_2.deviation)
    slope_1 = (slope_2 @ second.T) * hidden * (1 - hidden) * (columns_1.gain / columns_1.deviation)
    return Worth(x.var(axis=0), (slope_1**2).mean(axis=0)), Worth(hidden.var(axis=0), (slope_2**2).mean(axis=0))


def _assigned(weights: np.ndarray, worth: Worth, part: PairParts) -> Places:
    weights = weights.astype(np.float32)
    # Squared, an error is q + 2 p W, because W^2 is 1.
    q, p = (part.a - 1) ** 2 + part.b**2, 2 * (part.a - 1) * part.b
    rows, columns = (np.arange(size) for size in weights.shape)
    for _ in range(_ROUNDS):
        by_row = worth.variance[:, None] * weights
        costs = (worth.variance @ q[rows])[None, :] + by_row.T @ p[rows]
        _, columns = linear_sum_assignment(worth.slope[:, None] * costs)
        by_column = weights * worth.slope
        costs = (q[:, columns] @ worth.slope)[None, :] + by_column @ p[:, columns].T
        _, rows = linear_sum_assignment(worth.variance[:, None] * costs)
    return Places(rows, columns)

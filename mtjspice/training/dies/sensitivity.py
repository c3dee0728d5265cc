"""The loss around a solution: how it rises as weights flip, conduct otherwise, or become short circuits."""

from collections.abc import Callable

import numpy as np

from mtjspice.jobs.seeds import generator
from mtjspice.training.dies.chip import Chip
from mtjspice.training.dies.network import BinaryNetwork

_SENSITIVITY = 0x5E5
Disturb = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def flipped(weights: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return weights of which a share has the other sign."""
    return np.where(rng.random(weights.shape) < share, -weights, weights)


def noisy(weights: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Return weights plus noise, in units of a weight."""
    return weights + np.float32(deviation) * rng.standard_normal(weights.shape, np.float32)


def shorted(short: float) -> Disturb:
    """Return a disturbance by short circuits, which conduct `short` (in weights) more than a cell between its states.

    A pair loses what its shorted cell was, and gains the short, on either side with the same probability.
    """

    def disturbed(weights: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
        hit, side = rng.random(weights.shape) < share, rng.choice((-1, 1), weights.shape)
        return np.where(hit, (weights / 2 + side * short).astype(np.float32), weights)

    return disturbed


def losses_around(
    network: BinaryNetwork,
    disturb: Disturb,
    strength: float,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    samples: int,
    root_seed: int,
) -> np.ndarray:
    """Return the loss, nats, with weights disturbed anew, (samples,).

    Args:
        network: the solution.
        disturb: changes weights, as floats, by a strength.
        strength: such as the share of weights that flip.
        x: (n, inputs) images.
        labels: (n,).
        samples: how many times.
        root_seed: of the disturbances.
    """
    found = np.empty(samples)
    for number in range(samples):
        rng = generator(root_seed, (_SENSITIVITY, number))
        seen = tuple(disturb(weights.astype(np.float32), strength, rng) for weights in network.written)
        found[number] = network.loss(Chip(tuple(value.astype(np.float32) for value in seen)), x, labels)
    return found

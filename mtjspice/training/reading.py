"""What the reads of one sample take: forward through every layer, and back through all but the first."""

from typing import Any

import numpy as np

from mtjspice.surrogate.ideal_energy import read_energy_j
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.layers import Signals, backward, forward
from mtjspice.training.rule import Problem

_SAMPLED = 4
"""Steps of an epoch whose energy is worked out."""


def sampled_every(order: np.ndarray) -> int:
    """Return how many steps apart those of an epoch are whose energy is worked out."""
    return max(1, len(order) // _SAMPLED)


def reading_energy_j(
    model: ArrayModel, weights: tuple[Any, ...], problem: Problem, sample: int, signals: Signals
) -> float:
    """Return the energy, and leave the sample's inputs, outputs and errors in `signals`."""
    forward(weights, problem.scales, problem.x[sample], signals)
    backward(weights, problem.scales, problem.targets[sample], signals)
    energy_j = 0.0
    for n, weight in enumerate(weights):
        energy_j += read_energy_j(model, weight, signals.x[n])
        if n > 0:
            energy_j += read_energy_j(model, weight.T, signals.delta[n])
    return energy_j

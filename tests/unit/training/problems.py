"""What several rules' tests learn."""

import numpy as np

from mtjspice.training.networks import Network, targets
from mtjspice.training.rule import Problem


def sparse_problem(samples: int) -> Problem:
    """Three classes at random, of inputs of both signs and 0."""
    rng = np.random.default_rng(1)
    x = np.where(rng.random((samples, 9)) < 0.7, rng.uniform(-1, 1, (samples, 9)), 0).astype(np.float32)
    network = Network((9, 6, 3), (1, 2))
    return Problem(x, targets(rng.integers(0, 3, samples), 3), network, np.array([0.2, 0.2]))

"""Confidence intervals of a measured probability."""

import numpy as np
from scipy.special import betaincinv  # scipy.stats would add a second to the start of every process


def exact_interval(
    switched: np.ndarray | int, trials: np.ndarray | int, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Clopper-Pearson interval, two arrays of the inputs' shape; (0, 1) where there are no trials."""
    switched, trials = np.broadcast_arrays(np.asarray(switched), np.asarray(trials))
    tail = (1 - level) / 2
    low = betaincinv(np.maximum(switched, 1), trials - switched + 1, tail)
    high = betaincinv(switched + 1, np.maximum(trials - switched, 1), 1 - tail)
    return np.where(switched > 0, low, 0.0), np.where(switched < trials, high, 1.0)

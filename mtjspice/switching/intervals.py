"""Confidence intervals of a measured probability."""

import numpy as np
from scipy.stats import beta


def exact_interval(
    switched: np.ndarray | int, trials: np.ndarray | int, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Clopper-Pearson interval, two arrays of the inputs' shape; (0, 1) where there are no trials."""
    switched, trials = np.broadcast_arrays(np.asarray(switched), np.asarray(trials))
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = beta.ppf(tail, switched, trials - switched + 1)
        high = beta.ppf(1 - tail, switched + 1, trials - switched)
    return np.where(switched > 0, low, 0.0), np.where(switched < trials, high, 1.0)

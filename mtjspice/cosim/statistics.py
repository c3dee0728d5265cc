"""Whether two sets of runs flip the same cells equally often."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import betabinom, norm

_PERMUTATIONS = 9999
_CHUNK = 500
_LEAST_TAIL = 1e-300
"""37 sigma; smaller ones underflow."""


@dataclass(frozen=True)
class Agreement:
    """SPICE beside the surrogate.

    Args:
        p_value: of the hypothesis that both draw from one distribution.
        sigma: (cells,) signed normal quantile of each cell's exact tail.
        spice: (cells,) fraction of SPICE's runs in which the cell flipped.
        surrogate: (cells,) the same on the surrogate.
    """

    p_value: float
    sigma: np.ndarray
    spice: np.ndarray
    surrogate: np.ndarray

    @property
    def worst_sigma(self) -> float:
        """The largest magnitude over the cells."""
        return float(np.abs(self.sigma).max())


def compare(spice: np.ndarray, surrogate: np.ndarray, rng: np.random.Generator) -> Agreement:
    """Return the agreement of flips, (runs, cells) bool each; the numbers of runs may differ.

    The p-value is of a permutation test whose unit is the run, as the cells of one run are correlated through the
    network: the statistic is the sum over cells of the squared difference of the fractions over its variance, and whole
    runs are exchanged between the two sets. It is exact: a false alarm at level a has the probability a, at most.

    A cell's sigma is the normal quantile of the exact tail of its count. The surrogate's fraction is itself a count, so
    the binomial's probability is spread over what that count allows (Jeffreys' prior): a beta-binomial tail.
    """
    n, k = len(spice), len(surrogate)
    both = np.concatenate((spice, surrogate)).astype(np.float64)
    mean = both.mean(axis=0)
    moving = (mean > 0) & (mean < 1)
    variance = (mean * (1 - mean))[moving] * (1 / n + 1 / k)
    values = both[:, moving]
    total = values.sum(axis=0)

    def statistic(first_sums: np.ndarray) -> np.ndarray:
        difference = first_sums / n - (total - first_sums) / k
        return np.asarray((difference**2 / variance).sum(axis=-1))

    observed = float(statistic(values[:n].sum(axis=0)))
    as_large = 0
    for done in range(0, _PERMUTATIONS, _CHUNK):
        size = min(_CHUNK, _PERMUTATIONS - done)
        member = np.zeros((size, n + k))
        for row in member:
            row[rng.permutation(n + k)[:n]] = 1.0
        as_large += int((statistic(member @ values) >= observed * (1 - 1e-12)).sum())
    count, expected = spice.sum(axis=0), surrogate.sum(axis=0)
    return Agreement(
        p_value=(as_large + 1) / (_PERMUTATIONS + 1) if moving.any() else 1.0,
        sigma=_sigma(count, n, expected, k),
        spice=spice.mean(axis=0),
        surrogate=surrogate.mean(axis=0),
    )


def corrected_p(p_values: list[float]) -> list[float]:
    """Return p-values corrected for how many there are (Holm's step-down)."""
    order = np.argsort(p_values)
    found = np.empty(len(p_values))
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        found[index] = largest
    return [float(p) for p in found]


def _sigma(count: np.ndarray, n: int, expected: np.ndarray, k: int) -> np.ndarray:
    """Return signed quantiles, (cells,): of the smaller of the two tails, which both hold the count itself, doubled."""
    flipped, stayed = expected + 0.5, k - expected + 0.5
    # The upper tail as the lower one of those that stayed: 1 - cdf would lose it in rounding beyond 8 sigma.
    low, high = betabinom.cdf(count, n, flipped, stayed), betabinom.cdf(n - count, n, stayed, flipped)
    sign = np.where(high < low, 1.0, -1.0)
    doubled = np.clip(2 * np.minimum(low, high), _LEAST_TAIL, 1.0)
    return np.asarray(sign * norm.isf(doubled / 2))

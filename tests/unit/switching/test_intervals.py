"""Exact binomial intervals."""

import numpy as np
import pytest
from scipy.stats import binom

from mtjspice.switching.intervals import exact_interval


@pytest.mark.parametrize("trials", [1, 7, 40, 200])
def test_coverage_is_never_below_95_percent(trials: int) -> None:
    """Summed exactly over all outcomes, for P down to where even one switch is rare."""
    counts = np.arange(trials + 1)
    low, high = exact_interval(counts, trials)
    for p in (1e-4, 0.01, 0.05, 0.3, 0.5, 0.9, 0.999):
        covered = (low <= p) & (p <= high)
        assert binom.pmf(counts[covered], trials, p).sum() >= 0.95 - 1e-12


def test_the_ends_solve_the_tails_equations() -> None:
    low, high = exact_interval(3, 50)
    assert binom.sf(2, 50, low) == pytest.approx(0.025)
    assert binom.cdf(3, 50, high) == pytest.approx(0.025)


def test_none_and_all_and_nothing_tried() -> None:
    low, high = exact_interval(np.array([0, 20, 0]), np.array([20, 20, 0]))
    assert low.tolist() == pytest.approx([0, 0.025 ** (1 / 20), 0])
    assert high.tolist() == pytest.approx([1 - 0.025 ** (1 / 20), 1, 1])


def test_shapes_broadcast_and_more_trials_narrow() -> None:
    low, high = exact_interval(np.array([[1], [10]]), np.array([[100, 1000, 10000]]))
    assert low.shape == high.shape == (2, 3)
    assert (np.diff(high - low, axis=1) < 0).all()
    wide = exact_interval(10, 100, level=0.99)
    assert wide[0] < low[1, 0] < high[1, 0] < wide[1]

"""The comparison of flips: false alarms as rare as stated, power, exact quantiles, correction for many tests."""

import numpy as np
import pytest
from scipy.stats import binom, kstest, norm

from mtjspice.cosim import statistics
from mtjspice.cosim.statistics import compare, corrected_p


@pytest.fixture(autouse=True)
def few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_PERMUTATIONS", 199)


def flips(rng: np.random.Generator, runs: int, chance: np.ndarray) -> np.ndarray:
    """Return runs whose cells are strongly correlated: half of a run's cells share one uniform number."""
    own, shared = rng.random((runs, len(chance))), rng.random((runs, 1))
    together = np.arange(len(chance)) % 2 == 0
    return np.where(together, shared, own) < chance


@pytest.mark.slow
def test_p_values_are_uniform_where_nothing_differs() -> None:
    """200 comparisons; a Kolmogorov-Smirnov test that raises a false alarm once in 1000."""
    rng = np.random.default_rng(11)
    chance = np.array([0.05, 0.1, 0.3, 0.5, 0.2, 0.02])
    found = [compare(flips(rng, 60, chance), flips(rng, 120, chance), rng).p_value for _ in range(200)]
    # Multiples of 1/200, so the distribution function has steps of 1/200: spread evenly within them.
    spread = np.array(found) - rng.random(200) / 200
    assert kstest(spread, "uniform").pvalue > 1e-3
    # A test that took the cells of a run for independent would reject far more often than it says.
    assert binom.sf(int((np.array(found) <= 0.05).sum()) - 1, 200, 0.05) > 1e-3


@pytest.mark.slow
def test_a_shift_of_ten_points_in_one_cell_is_found() -> None:
    """600 runs each; 0.10 becomes 0.20 in one of six cells: the shift is 4.9 of its standard errors."""
    rng = np.random.default_rng(12)
    chance = np.array([0.1, 0.1, 0.3, 0.5, 0.2, 0.05])
    shifted = chance + np.array([0.1, 0, 0, 0, 0, 0])
    found = [compare(flips(rng, 600, shifted), flips(rng, 600, chance), rng) for _ in range(40)]
    assert np.mean([agreement.p_value < 0.05 for agreement in found]) > 0.8
    assert np.median([agreement.sigma[0] for agreement in found]) > 2.5
    # The cell at fault is named.
    assert np.mean([int(np.argmax(np.abs(agreement.sigma))) == 0 for agreement in found]) > 0.8


@pytest.mark.parametrize("count", [0, 3, 10, 19, 40, 90])
def test_beside_a_large_surrogate_ensemble_sigma_is_the_binomial_quantile(count: int) -> None:
    n, k, p = 200, 2_000_000, 0.05
    flipped, expected = np.array([count]), np.array([int(k * p)])
    low, high = binom.cdf(count, n, p), binom.sf(count - 1, n, p)
    quantile = norm.isf(min(1.0, 2 * min(low, high)) / 2) * (1 if high < low else -1)
    # The surrogate's own count blurs p by 0.3 %, sigma by as much of it.
    assert statistics._sigma(flipped, n, expected, k)[0] == pytest.approx(quantile, rel=0.01, abs=0.01)


def test_sigma_is_finite_and_signed_far_out() -> None:
    sigma = statistics._sigma(np.array([200, 0]), 200, np.array([0, 20000]), 20000)
    assert np.isfinite(sigma).all()
    assert sigma[0] > 20
    assert sigma[1] < -20


def test_sigma_and_fractions_of_an_agreement() -> None:
    spice, surrogate = np.zeros((10, 2), dtype=bool), np.zeros((20, 2), dtype=bool)
    spice[:8, 0] = True
    surrogate[:2, 0] = True
    agreement = compare(spice, surrogate, np.random.default_rng(1))
    np.testing.assert_array_equal(agreement.spice, [0.8, 0.0])
    np.testing.assert_array_equal(agreement.surrogate, [0.1, 0.0])
    assert agreement.sigma[0] > 3
    assert agreement.worst_sigma == agreement.sigma[0]
    assert agreement.p_value == 1 / 200
    turned = compare(surrogate, spice, np.random.default_rng(1))
    assert turned.sigma[0] < -3
    assert turned.worst_sigma > 3


@pytest.mark.parametrize("value", [False, True])
def test_cells_that_never_or_always_flip_say_nothing(value: bool) -> None:
    agreement = compare(np.full((30, 4), value), np.full((50, 4), value), np.random.default_rng(1))
    assert agreement.p_value == 1.0
    np.testing.assert_allclose(agreement.sigma, 0.0, atol=1e-12)


def test_cells_that_never_flip_do_not_change_the_p_value() -> None:
    rng = np.random.default_rng(3)
    spice, surrogate = flips(rng, 50, np.array([0.2, 0.4])), flips(rng, 80, np.array([0.3, 0.4]))
    alone = compare(spice, surrogate, np.random.default_rng(4)).p_value
    with_idle = [np.hstack((runs, np.zeros((len(runs), 3), dtype=bool))) for runs in (spice, surrogate)]
    assert compare(*with_idle, np.random.default_rng(4)).p_value == alone


def test_holms_correction_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.4, times 4, 3, 2, 1: 0.04, 0.06, 0.06 (0.06 before), 0.4.
    assert corrected_p([0.03, 0.4, 0.01, 0.02]) == pytest.approx([0.06, 0.4, 0.04, 0.06])
    # None falls below one before it, and none is above 1.
    assert corrected_p([0.012, 0.01]) == pytest.approx([0.02, 0.02])
    assert corrected_p([0.6, 0.9, 0.7]) == [1.0, 1.0, 1.0]
    assert corrected_p([0.2]) == [0.2]
    assert corrected_p([]) == []

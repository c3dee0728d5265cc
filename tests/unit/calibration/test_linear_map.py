"""The error of eta |x||delta|."""

import numpy as np
import pytest

from mtjspice.calibration.linear_map import LinearMap
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.switching.surface import SwitchingSurface

X, DELTA = np.linspace(0, 1, 5), np.linspace(0, 1, 11)
LEVELS, WIDTHS = 60e-6 + 30e-6 * X, 1.5e-9 + 1e-9 * DELTA


def mapped(probability: np.ndarray) -> LinearMap:
    return LinearMap(SwitchingSurface(Direction.AP_TO_P, Drive.CURRENT, LEVELS, WIDTHS, probability, "fokker_planck"))


def counted(switched: np.ndarray, trials: int) -> LinearMap:
    full = np.full(switched.shape, trials)
    return LinearMap(
        SwitchingSurface.from_counts(Direction.AP_TO_P, Drive.CURRENT, LEVELS, WIDTHS, switched, full, "macrospin")
    )


def test_an_exactly_linear_map_has_no_error() -> None:
    linear = mapped(0.7 * np.outer(X, DELTA))
    assert linear.eta == pytest.approx(0.7)
    assert linear.rmse == pytest.approx(0, abs=1e-15)
    assert linear.eta_ci95 == (linear.eta, linear.eta)


def test_the_mean_is_over_the_square_not_over_the_points() -> None:
    """P = eta (xd + 0.1 (1 - x)): the mean of (0.07 (1 - x))^2 over the square is 0.07^2/3."""
    p = 0.7 * (np.outer(X, DELTA) + 0.1 * (1 - X)[:, None])
    # The trapezoid rule of a square on five points: 1/3 + (1/4)^2/6.
    assert mapped(p).rmse == pytest.approx(0.07 * np.sqrt(1 / 3 + 1 / 96))


@pytest.mark.parametrize("trials", [100, 400])
def test_trials_add_no_error_of_their_own(trials: int) -> None:
    """Over 400 campaigns the mean square equals the map's own; uncorrected it is 0.1 / trials larger."""
    rng = np.random.default_rng(5)
    true = 0.7 * np.outer(X, DELTA) ** 1.3
    own = mapped(true).rmse ** 2
    squares = np.array([counted(rng.binomial(trials, true), trials).rmse ** 2 for _ in range(400)])
    # Three standard errors, and what eta's own scatter leaves: var(eta) mean((xd)^2) = 0.21/9/trials, less the
    # correction at the corner, where eta is the count itself.
    assert abs(squares.mean() - own) < 3 * squares.std() / 20 + 0.025 / trials
    assert squares.mean() - own < 0.04 / trials


def test_eta_is_the_last_corner_with_its_interval() -> None:
    switched = np.round(1000 * 0.7 * np.outer(X, DELTA)).astype(int)
    linear = counted(switched, 1000)
    low, high = linear.eta_ci95
    assert linear.eta == 0.7
    assert 0.66 < low < 0.7 < high < 0.74
    assert linear.target[2, 5] == pytest.approx(0.7 * 0.5 * 0.5)

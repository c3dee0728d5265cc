"""What a junction remembers in its well: the spread's equation, its inverse, and Fokker-Planck's spread beside it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction import fokker_planck
from mtjspice.junction.memory import (
    FLOOR,
    NO_LAG,
    depth_at,
    head_start_s,
    kept_share,
    lag_of,
    relaxation_rate_per_s,
    spread_after,
)
from mtjspice.junction.parameters import MacrospinParameters

RATE_PER_S = 1e9
RATIOS = [-2.0, -0.3, 0.0, 0.4, 0.95, 1.0, 1.3, 2.5]


def after(spread: float, ratio: float, t_s: float) -> float:
    return float(spread_after(np.array([spread]), np.array([ratio]), np.array([RATE_PER_S]), t_s)[0])


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("spread", [0.4, 1.0, 6.0])
def test_the_spread_solves_its_equation(ratio: float, spread: float) -> None:
    t_s = 0.8e-9
    solved = solve_ivp(
        lambda _, s: 2 * RATE_PER_S * ((ratio - 1) * s + 1), (0, t_s), [spread], rtol=1e-11, atol=1e-13
    ).y[0, -1]
    # At the critical current i - 1 is held 1e-6 off zero.
    assert after(spread, ratio, t_s) == pytest.approx(solved, rel=1e-5)


@pytest.mark.parametrize("ratio", [-2.0, -0.3, 0.0, 0.4, 0.9])
def test_below_the_critical_current_the_spread_tends_to_its_fixed_point(ratio: float) -> None:
    fixed = 1 / (1 - ratio)
    assert after(fixed, ratio, 1e-9) == pytest.approx(fixed, rel=1e-12)
    assert after(7.0, ratio, 200e-9) == pytest.approx(fixed, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 1.2, 3.0])
@pytest.mark.parametrize("t_s", [-0.2e-9, 0.0, 0.1e-9, 0.6e-9])
def test_the_head_start_inverts_the_growth_of_the_spread(ratio: float, t_s: float) -> None:
    spread = np.array([after(1.0, ratio, t_s)])
    # The cap on s and the floor at 0 are not reached by these times.
    assert 0 < spread[0] < 1e3
    found = head_start_s(spread, np.array([ratio]), np.array([RATE_PER_S]))
    assert found[0] == pytest.approx(t_s, abs=1e-14)


def test_a_current_too_small_for_a_spread_has_no_head_start() -> None:
    # i = 0.5 spreads to 2 and no further.
    found = head_start_s(np.array([1.9, 2.1]), np.full(2, 0.5), np.full(2, RATE_PER_S))
    assert np.isfinite(found[0])
    assert found[1] == np.inf


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("ratio", "tolerance"), [(-1.0, 0.025), (0.0, 1e-6), (0.3, 0.02), (0.5, 0.045)])
def test_the_spread_is_that_of_fokker_planck(
    mondal_parameters: MacrospinParameters, direction: Direction, ratio: float, tolerance: float
) -> None:
    """Under current drive, from equilibrium, up to 3 ns; 2 (1 - |m_z|) is the squared angle near a pole.

    The linear equation's own error, measured: 1.7 % at i = -1, 1.4 % at 0.3, 3.3 % at 0.5, of the order of
    s kT over the barriers of 41 and 84 kT. At no current the equilibrium stays.
    """
    modes = 192
    operator = fokker_planck._operator(mondal_parameters, modes)
    start, _ = fokker_planck._start_and_well(mondal_parameters, direction, modes)
    level = ratio * mondal_parameters.critical_current_a(direction)
    torque = fokker_planck._torque_velocity(mondal_parameters, direction, Drive.CURRENT, level, operator.z, 0.0)
    generator = operator.field + operator.drift(torque)
    weights = np.polynomial.legendre.leggauss(2 * modes)[1]
    squared = 2 * (1 - direction.initial_mz * operator.z)
    rate_per_s = relaxation_rate_per_s(mondal_parameters, direction)

    def mean_square(t_s: float) -> float:
        density = (expm(generator * t_s / mondal_parameters.tau_d_s) @ start) @ operator.basis
        return float(density * squared @ weights)

    for t_s in (0.4e-9, 1e-9, 3e-9):
        s = spread_after(np.ones(1), np.array([ratio]), np.array([rate_per_s]), t_s)[0]
        assert mean_square(t_s) / mean_square(0.0) == pytest.approx(s, rel=tolerance)


def test_who_had_not_switched_has_not_switched_after_a_change_of_voltage() -> None:
    rng = np.random.default_rng(1)
    before, now = rng.uniform(FLOOR, 0.95, size=(2, 20000))
    depth = rng.exponential(size=20000)
    unflipped = np.exp(-depth) > before
    # The map is for those who are left: depth < -ln P means P(old) below exp(-depth).
    after_change = depth_at(depth[unflipped], lag_of(before[unflipped]), lag_of(now[unflipped]))
    # At equality, rounding decides.
    assert (np.exp(-after_change) > now[unflipped] * (1 - 1e-9)).all()


def test_the_order_of_junctions_is_kept_and_the_way_back_is_the_same() -> None:
    depth = np.linspace(0.01, 2.0, 50)
    low, high = lag_of(np.full(50, 0.01)), lag_of(np.full(50, 0.1))
    there = depth_at(depth, low, high)
    assert (np.diff(there) > 0).all()
    # Small angles are left alone.
    assert there[0] == pytest.approx(depth[0], rel=0.01)
    np.testing.assert_allclose(depth_at(there, high, low), depth, rtol=1e-12)


def test_probabilities_beyond_a_surface_have_a_finite_lag() -> None:
    assert lag_of(np.array([0.0]))[0] == NO_LAG
    assert np.isfinite(lag_of(np.array([1.0]))[0])


@pytest.mark.parametrize("ratio", [-1.5, 0.0, 0.8])
def test_the_share_that_is_kept_is_the_correlation_of_the_angle(ratio: float) -> None:
    spread, ratios, rate = np.array([5.0]), np.array([ratio]), np.array([RATE_PER_S])
    assert kept_share(spread, ratios, rate, 0.0)[0] == 1.0
    # Two stages keep what one as long keeps, and nothing is kept for ever.
    middle = spread_after(spread, ratios, rate, 0.3e-9)
    twice = kept_share(spread, ratios, rate, 0.3e-9) * kept_share(middle, ratios, rate, 0.5e-9)
    assert twice[0] == pytest.approx(kept_share(spread, ratios, rate, 0.8e-9)[0], rel=1e-12)
    assert kept_share(spread, ratios, rate, 1e-6)[0] < 1e-9

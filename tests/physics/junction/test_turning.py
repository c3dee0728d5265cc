"""The drift of m_z without noise: against scipy, back in time, at rest, and how it grows with voltage."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction import fokker_planck
from mtjspice.junction.memory import relaxation_rate_per_s
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.turning import turn


def turned(
    parameters: MacrospinParameters,
    direction: Direction,
    mz: np.ndarray,
    v_v: float | np.ndarray,
    t_s: float | np.ndarray,
    r_ohm: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    shape = np.broadcast(mz, v_v, t_s).shape
    signed = np.broadcast_to(direction.current_sign * np.asarray(v_v, dtype=float), shape)
    full = [np.broadcast_to(np.asarray(x, dtype=float), shape).copy() for x in (mz, signed)]
    return turn(
        parameters,
        *full,
        np.full(shape, float(direction.initial_mz)),
        np.full(shape, r_ohm),
        np.broadcast_to(np.asarray(t_s, dtype=float), shape).copy(),
    )


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("v_v", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("start", [0.98, 0.7, 0.2])
def test_scipy_follows_the_same_path(
    mondal_parameters: MacrospinParameters, direction: Direction, v_v: float, start: float
) -> None:
    """The velocity comes from the Fokker-Planck solver, which shares no code with the kernel."""
    mz, t_s = start * direction.initial_mz, 1.2e-9

    def slope(_: float, z: np.ndarray) -> np.ndarray:
        velocity = fokker_planck._velocity(mondal_parameters, direction, Drive.VOLTAGE, v_v, z)
        return (1 - z**2) * velocity / mondal_parameters.tau_d_s

    # The kernel holds G_AP at the voltage it has at the start, which is what voltage drive does.
    solved = solve_ivp(slope, (0, t_s), [mz], rtol=1e-10, atol=1e-12).y[0, -1]
    ends, _ = turned(mondal_parameters, direction, np.array([mz]), v_v, t_s)
    assert ends[0] == pytest.approx(solved, abs=1e-3)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("r_ohm", [0.0, 2000.0, np.inf])
def test_back_in_time_it_returns(mondal_parameters: MacrospinParameters, direction: Direction, r_ohm: float) -> None:
    mz = direction.initial_mz * np.array([0.95, 0.5, 0.1, -0.2])
    forth, _ = turned(mondal_parameters, direction, mz, 0.6, 0.5e-9, r_ohm)
    assert np.abs(forth - mz).max() > 0.05
    back, _ = turned(mondal_parameters, direction, forth, 0.6, -0.5e-9, r_ohm)
    # A midpoint step of 0.005 tau_D is off by 1e-7 or so; the way back stretches what is pressed against a pole.
    np.testing.assert_allclose(back, mz, atol=1e-3)


@pytest.mark.parametrize("direction", Direction)
def test_at_rest_the_angle_decays_with_the_wells_rate(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    t_s = 2e-9
    mz = np.array([0.9999 * direction.initial_mz])
    ends, crossed_s = turned(mondal_parameters, direction, mz, 0.0, t_s)
    # 1 - |m_z| is half the squared angle, which decays twice as fast as the angle.
    rate_per_s = -np.log((1 - abs(ends[0])) / (1 - abs(mz[0]))) / (2 * t_s)
    assert rate_per_s == pytest.approx(relaxation_rate_per_s(mondal_parameters, direction), rel=1e-3)
    assert crossed_s[0] == np.inf


@pytest.mark.parametrize("direction", Direction)
def test_the_crossing_comes_earlier_at_a_higher_voltage(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    volts = np.linspace(0.4, 1.2, 17)
    saddle = mondal_parameters.saddle_mz
    mz = np.full(volts.shape, saddle + 0.4 * (direction.initial_mz - saddle))
    ends, crossed_s = turned(mondal_parameters, direction, mz, volts, 20e-9)
    assert np.isfinite(crossed_s).all()
    assert (np.diff(crossed_s) < 0).all()
    assert ((ends - saddle) * direction.initial_mz < 0).all()
    # At the time of crossing it stands at the saddle.
    there, _ = turned(mondal_parameters, direction, mz, volts, crossed_s)
    np.testing.assert_allclose(there, saddle, atol=1e-3)


@pytest.mark.parametrize("direction", Direction)
def test_starting_at_the_saddle_is_no_crossing(mondal_parameters: MacrospinParameters, direction: Direction) -> None:
    mz = np.array([mondal_parameters.saddle_mz])
    ends, crossed_s = turned(mondal_parameters, direction, mz, 0.7, 0.3e-9)
    assert (ends[0] - mz[0]) * direction.initial_mz < 0
    assert crossed_s[0] == np.inf

"""Without chance: the torque's direction and size, what it conserves, and the path under a given field."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.macrospin import trajectory
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s
from mtjspice.junction.thermal import thermal_field_t

TILTED = np.array([[0.6, 0.48, -0.64]])


def _reference(
    parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float, m0: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Integrate the equation in its other textbook form, double cross products and a torque along m x (m x p)."""
    p = np.array([parameters.p_x, 0.0, parameters.p_z])

    def rate(_: float, m: np.ndarray) -> np.ndarray:
        c = m @ p
        signed = direction.current_sign * level
        current = signed if drive is Drive.CURRENT else signed * conductance_s(parameters, signed, c)
        a = -parameters.torque_t_per_a * current / (1 + parameters.asymmetry * c)
        b = np.array([parameters.b_x_t, 0.0, parameters.b_k_t * m[2] + parameters.b_z_t])
        effective, torque = np.cross(m, b), np.cross(m, p)
        damped = -effective - parameters.alpha * np.cross(m, effective)
        return parameters.gamma_prime * (damped - a * np.cross(m, torque) + parameters.alpha * a * torque)

    solution = solve_ivp(rate, (0, times[-1]), m0, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-12)
    return solution.y.T


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(("drive", "level"), [(Drive.CURRENT, 150e-6), (Drive.VOLTAGE, 0.8)])
@pytest.mark.parametrize("in_plane", [False, True])
def test_path_without_noise_is_of_order_two(
    mondal_parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float, in_plane: bool
) -> None:
    parameters = replace(mondal_parameters, b_x_t=0.03, p_x=0.28, p_z=0.96) if in_plane else mondal_parameters
    steps = np.array([300, 600, 1200])
    times = np.linspace(0, 1.2e-9, 301)
    expected = _reference(parameters, direction, drive, level, TILTED[0], times)
    errors = []
    for n in steps:
        path = trajectory(parameters, direction, drive, level, TILTED, np.zeros((n + 1, 1, 3)), 1.2e-9 / n)
        errors.append(np.abs(path[:: n // 300, 0] - expected).max())
    # 4 ps is 0.15 rad of precession a step and 40 rad in all: (w dt)^2/12 of phase error gives 0.1 at most.
    assert errors[0] < 0.1
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    # Neighbouring orders would be 1 and 3; the next term of the error series moves the slope by some per cent.
    np.testing.assert_allclose(orders, 2, atol=0.15)


def test_norm_is_conserved(mondal_parameters: MacrospinParameters) -> None:
    field = thermal_field_t(mondal_parameters, 4000, 20, 2e-12, np.random.default_rng(2))
    path = trajectory(
        mondal_parameters, Direction.AP_TO_P, Drive.VOLTAGE, 0.7, np.repeat(TILTED, 20, axis=0), field, 2e-12
    )
    # Rotations keep the norm; 4,000 roundings of 1e-16 add up to less than 1e-12.
    np.testing.assert_allclose(np.linalg.norm(path, axis=2), 1, atol=1e-12)


@pytest.mark.parametrize("direction", list(Direction))
def test_no_torque_at_the_poles(mondal_parameters: MacrospinParameters, direction: Direction) -> None:
    pole = np.array([[0.0, 0.0, float(direction.initial_mz)]])
    path = trajectory(mondal_parameters, direction, Drive.CURRENT, 200e-6, pole, np.zeros((101, 1, 3)), 2e-12)
    np.testing.assert_array_equal(path[-1], pole)


@pytest.mark.parametrize("direction", list(Direction))
def test_no_torque_at_the_wells_of_a_field_in_the_plane(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    parameters = replace(mondal_parameters, b_x_t=0.04)
    mz = parameters.well_mz(direction)
    well = np.array([[np.sqrt(1 - mz**2), 0.0, mz]])
    path = trajectory(parameters, direction, Drive.CURRENT, 0.0, well, np.zeros((501, 1, 3)), 2e-12)
    # The well's m_z is known to about 1e-8, the square root of the minimiser's precision.
    np.testing.assert_allclose(path[-1], well, atol=1e-6)


@pytest.mark.parametrize("direction", list(Direction))
def test_the_critical_current_divides_decay_from_growth(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    start = np.array([[0.02, 0.0, direction.initial_mz * np.sqrt(1 - 0.02**2)]])
    critical = mondal_parameters.critical_current_a(direction)
    for factor, grows in ((0.98, False), (1.02, True)):
        path = trajectory(
            mondal_parameters, direction, Drive.CURRENT, factor * critical, start, np.zeros((5001, 1, 3)), 2e-12
        )
        assert (np.hypot(path[-1, 0, 0], path[-1, 0, 1]) > 0.02) == grows


def test_turning_everything_about_z_turns_the_path(mondal_parameters: MacrospinParameters) -> None:
    field = thermal_field_t(mondal_parameters, 500, 8, 2e-12, np.random.default_rng(4))
    start = np.repeat(TILTED, 8, axis=0)
    cos, sin = np.cos(1.1), np.sin(1.1)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])  # acts on rows
    arguments = (mondal_parameters, Direction.P_TO_AP, Drive.CURRENT, 140e-6)
    path = trajectory(*arguments, start, field, 2e-12)
    turned = trajectory(*arguments, start @ turn, field @ turn, 2e-12)
    # Rounding only: 1e-16 a step, stretched by at most a few hundred while the paths unfold.
    np.testing.assert_allclose(turned, path @ turn, atol=1e-10)


def test_paths_under_one_field_converge(mondal_parameters: MacrospinParameters) -> None:
    """A field of straight lines makes an ordinary differential equation, and Heun solves it to order two."""
    coarse = thermal_field_t(mondal_parameters, 500, 20, 2e-12, np.random.default_rng(6))
    start = np.repeat([[0.2, 0.1, -np.sqrt(0.95)]], 20, axis=0)

    def final(refinement: int) -> np.ndarray:
        points = np.arange(500 * refinement + 1) / refinement
        low = np.minimum(points.astype(int), 499)
        weight = (points - low)[:, None, None]
        field = coarse[low] * (1 - weight) + coarse[low + 1] * weight
        arguments = (Direction.AP_TO_P, Drive.CURRENT, 90e-6, start, field, 2e-12 / refinement)
        return trajectory(mondal_parameters, *arguments)[-1]

    exact = final(16)
    errors = [float(np.sqrt(np.mean((final(n) - exact) ** 2))) for n in (1, 2, 4)]
    assert errors[0] < 0.02
    # The reference's own error, 1/256 of the first, moves the last slope by log2(1 - 1/16) = 0.09.
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2, atol=0.2)

"""What follows from a card in closed form, against the published figures and against brute force."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.optimize import minimize

from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.units import E_CHARGE_C, GAMMA_RAD_PER_S_T, HBAR_J_S

AP_TO_P, P_TO_AP = Direction.AP_TO_P, Direction.P_TO_AP


def test_the_papers_junction(mondal_parameters: MacrospinParameters) -> None:
    # The card's stated consequences, to the digits they are stated with.
    assert mondal_parameters.delta == pytest.approx(60.2, abs=0.05)
    assert mondal_parameters.delta_from(AP_TO_P) == pytest.approx(40.7, abs=0.06)
    assert mondal_parameters.delta_from(P_TO_AP) == pytest.approx(83.5, abs=0.05)
    assert mondal_parameters.critical_current_a(AP_TO_P) == pytest.approx(31.3e-6, abs=0.05e-6)
    assert mondal_parameters.critical_current_a(P_TO_AP) == pytest.approx(89.8e-6, abs=0.05e-6)


def test_relaxation_time(mondal_parameters: MacrospinParameters) -> None:
    p = mondal_parameters
    assert p.tau_d_s == pytest.approx((1 + p.alpha**2) / (p.alpha * GAMMA_RAD_PER_S_T * p.b_k_t))


def test_barriers_with_a_field_along_the_axis(mondal_parameters: MacrospinParameters) -> None:
    # Delta (1 -+ h)^2 with h = b_z/b_k, exact for a uniaxial particle.
    p = mondal_parameters
    h = p.b_z_t / p.b_k_t
    assert p.delta_from(AP_TO_P) == pytest.approx(p.delta * (1 - h) ** 2, rel=1e-12)
    assert p.delta_from(P_TO_AP) == pytest.approx(p.delta * (1 + h) ** 2, rel=1e-12)
    assert p.saddle_mz == -h
    assert (p.well_mz(AP_TO_P), p.well_mz(P_TO_AP)) == (-1, 1)


def test_critical_current_balances_damping_at_the_pole(mondal_parameters: MacrospinParameters) -> None:
    # Near m = +-1 damping is alpha (b_k +- b_z) and the spin torque hbar P/(2 e Ms V) I/(1 +- P^2).
    p = dataclasses.replace(mondal_parameters, b_z_t=0.0, asymmetry=0.0)
    moment = p.moment_a_m2
    polarization = p.torque_t_per_a * 2 * E_CHARGE_C * moment / HBAR_J_S
    expected = 2 * E_CHARGE_C * p.alpha * moment * p.b_k_t / (HBAR_J_S * polarization)
    for direction in Direction:
        assert p.critical_current_a(direction) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("b_x", [1e-4, 0.01, -0.05, 0.09])
@pytest.mark.parametrize("b_z", [0.0, 0.0332, -0.02])
def test_wells_and_saddle_with_a_field_in_the_plane(
    mondal_parameters: MacrospinParameters, b_x: float, b_z: float
) -> None:
    p = dataclasses.replace(mondal_parameters, b_x_t=b_x, b_z_t=b_z)
    kt_per_tesla = p.moment_a_m2 / p.thermal_energy_j

    def energy(theta: float, phi: float) -> float:
        x, z = math.sin(theta) * math.cos(phi), math.cos(theta)
        return -kt_per_tesla * (p.b_k_t * z**2 / 2 + b_z * z + b_x * x)

    # Wells: descend on the whole sphere from near each pole.
    phi = 0.0 if b_x > 0 else math.pi
    minima = {}
    for direction in Direction:
        start = [0.1 if direction is P_TO_AP else math.pi - 0.1, phi + 0.2]
        found = minimize(lambda angles: energy(*angles), start, method="Nelder-Mead",
                         options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 2000})  # fmt: skip
        minima[direction] = found.fun
        assert p.energy_over_kt(p.well_mz(direction)) == pytest.approx(found.fun, abs=1e-6)
        # fatol resolves m_z to sqrt(1e-12/Delta) = 1e-7, and worse where the sine flattens the pole.
        assert p.well_mz(direction) == pytest.approx(math.cos(found.x[0]), abs=1e-4)
    # Saddle: the lowest path between the wells runs along the field's meridian; its highest point on a fine grid.
    theta = np.linspace(math.acos(p.well_mz(P_TO_AP)), math.acos(p.well_mz(AP_TO_P)), 200_001)
    path = np.array(-kt_per_tesla * (p.b_k_t * np.cos(theta) ** 2 / 2 + b_z * np.cos(theta) + abs(b_x) * np.sin(theta)))
    top = int(path.argmax())
    assert p.saddle_mz == pytest.approx(math.cos(theta[top]), abs=1e-4)  # grid of 1.6e-5 rad
    for direction in Direction:
        assert p.delta_from(direction) == pytest.approx(path[top] - minima[direction], abs=1e-5)


def test_a_vanishing_field_in_the_plane_changes_nothing(mondal_parameters: MacrospinParameters) -> None:
    tilted = dataclasses.replace(mondal_parameters, b_x_t=1e-9)
    for direction in Direction:
        # The wells' energy falls by Delta (b_x/b_k)^2 and the saddle's by 2 Delta b_x/b_k, here 6e-7.
        assert tilted.delta_from(direction) == pytest.approx(mondal_parameters.delta_from(direction), abs=1e-5)


def test_axial_symmetry_is_lost_by_field_or_tilt(mondal_parameters: MacrospinParameters) -> None:
    assert mondal_parameters.is_axially_symmetric
    assert not dataclasses.replace(mondal_parameters, b_x_t=0.01).is_axially_symmetric
    assert not dataclasses.replace(mondal_parameters, p_x=0.1).is_axially_symmetric

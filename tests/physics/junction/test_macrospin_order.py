"""What the integrator's docstring claims of its step: weak order one, a cone left alone, a slightly colder field."""

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction
from mtjspice.junction.heun import Torques, advance
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start, thermal_field_sigma_t
from mtjspice.units import GAMMA_RAD_PER_S_T


def test_weak_order_is_one() -> None:
    """Free diffusion on the sphere: E[m_z] = exp(-2 D t), against the exact expectation of a step, without chance.

    A step has 27 outcomes. By symmetry each step shrinks E[m] by one factor, so that factor's power is the scheme's
    answer at time t.
    """
    # Words whose three fields of 21 bits are the least, a middle and the greatest: kicks of -1, 0 and 1.
    fields, chances = np.array([0, 2**20, 2**21 - 1], dtype=np.uint64), np.array([1 / 6, 2 / 3, 1 / 6])
    x, y, z = (index.ravel() for index in np.meshgrid(*3 * [range(3)]))
    words = fields[x] | fields[y] << np.uint64(21) | fields[z] << np.uint64(42)
    weight = chances[x] * chances[y] * chances[z]
    alpha = 0.02
    free = Torques(alpha=alpha, b_k=0.0, b_z=0.0, b_x=0.0, p_x=0.0, p_z=1.0, a0=0.0, a1=0.0, asymmetry=0.0)
    errors = []
    for two_d_dt in (0.05, 0.025, 0.0125):
        m = np.zeros((3, 27))
        m[2] = 1.0
        advance(m, words[None], np.sqrt(two_d_dt / (1 + alpha**2)), 1.0, free)
        errors.append((m[2] @ weight) ** (0.4 / two_d_dt) - np.exp(-0.4))
    # Halving the step halves the error; the next order adds some per cent at these steps.
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 1, atol=0.1)
    # Diffusion is slower by three quarters of 2 D dt, which is 2.4e-5 for mondal2018 at 2 ps.
    assert errors[-1] / (0.4 * np.exp(-0.4)) == pytest.approx(0.75 * 0.0125, rel=0.05)


def test_precession_neither_opens_nor_closes_the_cone(mondal_parameters: MacrospinParameters) -> None:
    """Heun with renormalisation opens it by angle^4/8 a step, which at 0.15 rad is 2 % of a damping of 0.02."""
    angle, steps = 0.15, 1000
    undamped = Torques(alpha=0.0, b_k=1.0, b_z=0.0, b_x=0.0, p_x=0.0, p_z=1.0, a0=0.0, a1=0.0, asymmetry=0.0)
    start = np.array([[0.01], [0.0], [np.sqrt(1 - 0.01**2)]])
    m = start.copy()
    advance(m, np.zeros((steps, 1), dtype=np.uint64), 0.0, angle / start[2, 0], undamped)
    assert np.hypot(m[0, 0], m[1, 0]) == pytest.approx(0.01, rel=1e-10)

    renormalised = start[:, 0].copy()
    for _ in range(steps):
        first = angle * np.cross([0.0, 0.0, 1.0], renormalised)
        second = angle * np.cross([0.0, 0.0, 1.0], renormalised + first)
        renormalised = renormalised + (first + second) / 2
        renormalised /= np.linalg.norm(renormalised)
    growth = np.log(np.hypot(*renormalised[:2]) / 0.01) / steps
    # The small angle makes the cone's opening the growth of m in the plane, to 0.01^2.
    assert growth == pytest.approx(angle**4 / 8, rel=0.01)


def test_damping_is_right_at_a_coarse_step() -> None:
    """A cone of 0.01 rad decays by exp(-alpha w dt) a step; 0.28 rad a step is coarser than what is accepted."""
    alpha, steps = 0.02, 400
    angle = 0.28
    damped = Torques(alpha=alpha, b_k=1.0, b_z=0.0, b_x=0.0, p_x=0.0, p_z=1.0, a0=0.0, a1=0.0, asymmetry=0.0)
    m = np.array([[0.01], [0.0], [np.sqrt(1 - 0.01**2)]])
    advance(m, np.zeros((steps, 1), dtype=np.uint64), 0.0, angle, damped)
    decay = -np.log(np.hypot(m[0, 0], m[1, 0]) / 0.01) / steps
    # alpha w is small: what is left is of relative order alpha angle, and angle^2 alpha.
    assert decay == pytest.approx(alpha * angle, rel=0.005)


def test_a_coarse_step_cools_precession_as_claimed(mondal_parameters: MacrospinParameters) -> None:
    """At 0.4 rad a step, beyond what is accepted, the well's variance is (w dt)^2/4 = 4 % too small."""
    parameters, trials = mondal_parameters, 60_000
    rng = np.random.default_rng(9)
    m = np.ascontiguousarray(boltzmann_start(parameters, Direction.P_TO_AP, trials, rng).T)
    before = np.mean(m[0] ** 2 + m[1] ** 2)
    step = 0.4 / (GAMMA_RAD_PER_S_T * (parameters.b_k_t + parameters.b_z_t))
    torques = Torques(
        parameters.alpha, parameters.b_k_t, parameters.b_z_t, 0.0, 0.0, 1.0, a0=0.0, a1=0.0, asymmetry=0.0
    )
    sigma = thermal_field_sigma_t(parameters, step)
    # 300 steps are 2.6 relaxation times, so the variance has forgotten its start to exp(-5.2).
    for _ in range(10):
        advance(m, rng.integers(0, 2**64, (30, trials), dtype=np.uint64), sigma, parameters.gamma_prime * step, torques)
    cooling = 1 - np.mean(m[0] ** 2 + m[1] ** 2) / before
    # Two exponential variables, so 1/sqrt(N) each: three sigma are 3 sqrt(2/60000) = 0.017.
    assert cooling == pytest.approx(0.04 / 1.04, abs=0.017)

"""Detailed balance: the dynamics keeps Boltzmann's distribution, finds it anew, and escapes at Brown's rate."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.macrospin import simulate_pulses, trajectory
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import thermal_field_t
from mtjspice.junction.time_step import default_time_step_s

BROWN_DELTA_5 = 1.35406e-2
"""Smallest non-zero eigenvalue times tau_D at Delta = 5, from an independent Legendre expansion."""


def _junction(parameters: MacrospinParameters, delta: float, **fields: float) -> MacrospinParameters:
    """Return a junction of that Delta, strongly damped so that it relaxes in few precessions, without stray field."""
    moment = 2 * parameters.thermal_energy_j * delta / parameters.b_k_t
    return replace(parameters, **{"alpha": 0.1, "b_z_t": 0.0, "moment_a_m2": moment, **fields})


def _mz_distribution(parameters: MacrospinParameters) -> tuple[np.ndarray, np.ndarray]:
    """Return a grid of m_z and the cumulative equilibrium distribution, by summing exp(-E/kT) over the sphere."""
    mz = np.linspace(-1, 1, 4001)[:, None]
    azimuth = np.linspace(0, 2 * np.pi, 721)[None, :-1]
    in_plane = np.sqrt(1 - mz**2) * np.cos(azimuth)
    energy = -(parameters.b_k_t * mz**2 / 2 + parameters.b_z_t * mz + parameters.b_x_t * in_plane)
    density = np.exp(-parameters.moment_a_m2 * energy / parameters.thermal_energy_j).sum(axis=1)
    cumulative = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    return mz[:, 0], cumulative / cumulative[-1]


def test_variance_in_the_plane_grows_from_zero_to_equipartition(mondal_parameters: MacrospinParameters) -> None:
    parameters = _junction(mondal_parameters, 30.0)
    step, trials = default_time_step_s(parameters), 1000
    relaxed, steps = round(4 * parameters.tau_d_s / step), round(8 * parameters.tau_d_s / step)
    field = thermal_field_t(parameters, steps, trials, step, np.random.default_rng(21))
    pole = np.tile([0.0, 0.0, 1.0], (trials, 1))
    path = trajectory(parameters, Direction.P_TO_AP, Drive.CURRENT, 0.0, pole, field, step)
    squares = np.mean(path[relaxed:, :, :2] ** 2, axis=0)  # (trials, 2)
    mz, cumulative = _mz_distribution(parameters)
    upper = np.diff(cumulative) * (mz[1:] > 0)
    centre = (mz[1:] + mz[:-1]) / 2
    expected = np.sum(upper * (1 - centre**2)) / upper.sum() / 2
    z = (squares.mean(axis=0) - expected) / (squares.std(axis=0) / np.sqrt(trials))
    # Two z values: 0.5 % false alarms at three sigma. The step's own 0.25 % is a tenth of a sigma.
    assert (np.abs(z) < 3).all(), z


@pytest.mark.parametrize(
    "fields",
    [{}, {"b_z_t": 0.03}, {"b_x_t": 0.06}, {"b_x_t": -0.05, "b_z_t": -0.02, "p_x": 0.28, "p_z": 0.96}],
    ids=["uniaxial", "stray", "in_plane", "oblique"],
)
def test_a_low_barrier_relaxes_to_boltzmann_from_either_well(
    mondal_parameters: MacrospinParameters, fields: dict[str, float]
) -> None:
    parameters = _junction(mondal_parameters, 2.0, **fields)
    mz, cumulative = _mz_distribution(parameters)
    for seed, direction in enumerate(Direction):
        rng = np.random.default_rng(seed)
        # At Delta = 2 the slowest mode decays in about 4 tau_D; 40 leave exp(-10).
        end = simulate_pulses(parameters, direction, Drive.CURRENT, 0.0, [40 * parameters.tau_d_s], 3000, rng)[:, 0]
        # Eight tests at 0.1 %: 0.8 % false alarms.
        assert stats.kstest(end, lambda x: np.interp(x, mz, cumulative)).pvalue > 1e-3


@pytest.mark.slow
def test_escape_at_brown_s_rate(mondal_parameters: MacrospinParameters) -> None:
    """<m_z> of a symmetric junction decays with the smallest eigenvalue once the faster modes are gone."""
    parameters, trials = _junction(mondal_parameters, 5.0), 10_000
    widths = np.array([5.0, 75.0]) * parameters.tau_d_s
    mz = simulate_pulses(parameters, Direction.AP_TO_P, Drive.CURRENT, 0.0, widths, trials, np.random.default_rng(31))
    mean = mz.mean(axis=0)
    rate = np.log(mean[0] / mean[1]) / 70.0
    # The later mean carries the error; three sigma, about 9 % of the rate. Colder by 0.25 % is 1.2 % of it.
    sigma = mz[:, 1].std() / np.sqrt(trials) / abs(mean[1]) / 70.0
    assert rate == pytest.approx(BROWN_DELTA_5, abs=3 * sigma)

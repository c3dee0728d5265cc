"""The start of a pulse is Boltzmann's distribution over its well."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start

TRIALS = 20_000


def _sphere(parameters: MacrospinParameters, direction: Direction) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return m_z (n, 1), azimuth (1, k) and Boltzmann weights (n, k) over the initial well."""
    ends = (-1.0, parameters.saddle_mz) if direction is Direction.AP_TO_P else (parameters.saddle_mz, 1.0)
    mz = np.linspace(*ends, 20_001)[:, None]
    azimuth = np.linspace(-np.pi, np.pi, 181)[None, :-1]
    in_plane = np.sqrt(1 - mz**2) * np.cos(azimuth)
    energy = -(parameters.b_k_t * mz**2 / 2 + parameters.b_z_t * mz + parameters.b_x_t * in_plane)
    weights = np.exp(-parameters.moment_a_m2 * (energy - energy.min()) / parameters.thermal_energy_j)
    return mz, azimuth, weights / weights.sum()


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(("b_x_t", "shrink"), [(0.0, 1), (0.0, 12), (0.04, 1), (-0.04, 12)])
def test_start_is_boltzmann(
    mondal_parameters: MacrospinParameters, direction: Direction, b_x_t: float, shrink: float
) -> None:
    """From a Delta of 60 down to 5, with and without a field in the plane."""
    parameters = replace(mondal_parameters, b_x_t=b_x_t, moment_a_m2=mondal_parameters.moment_a_m2 / shrink)
    start = boltzmann_start(parameters, direction, TRIALS, np.random.default_rng(17))
    mz, azimuth, weights = _sphere(parameters, direction)
    # Sixteen Kolmogorov-Smirnov tests at 0.1 %: 1.6 % false alarms for the set.
    along_z = np.cumsum(weights.sum(axis=1))
    assert stats.kstest(start[:, 2], lambda x: np.interp(x, mz[:, 0], along_z)).pvalue > 1e-3
    around_z = np.concatenate(([0.0], np.cumsum(weights.sum(axis=0))))
    edges = np.append(azimuth[0], np.pi) - np.pi / 180  # half a cell below each point
    turned = np.arctan2(start[:, 1], start[:, 0])
    assert stats.kstest(turned, lambda x: np.interp(x, edges, around_z)).pvalue > 1e-3
    # Means and second moments, jointly with the azimuth; four standard errors, 24 of them a case.
    in_plane = np.sqrt(1 - mz**2)
    for sample, exact in (
        (start[:, 0], in_plane * np.cos(azimuth)),
        (start[:, 0] * start[:, 2], in_plane * np.cos(azimuth) * mz),
        (start[:, 1] ** 2, (in_plane * np.sin(azimuth)) ** 2),
    ):
        assert sample.mean() == pytest.approx(np.sum(weights * exact), abs=4 * sample.std() / np.sqrt(TRIALS))

"""Temperature: the fluctuating field, and the equilibrium that a pulse starts from."""

import math

import numpy as np
from scipy.special import i0e

from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.units import GAMMA_RAD_PER_S_T

_COARSE, _FINE = 1025, 8193
_NEGLIGIBLE = 60.0
"""Energies this many k_B T above the well's bottom are left out: exp(-60) = 1e-26."""


def thermal_field_sigma_t(parameters: MacrospinParameters, time_step_s: float) -> float:
    """Return the standard deviation per axis of the thermal field held for `time_step_s`, in tesla.

    sqrt(2 alpha k_B T/(gamma Ms V dt)), from fluctuation-dissipation (W. F. Brown, Phys. Rev. 130, 1677 (1963)).
    """
    dissipation = 2 * parameters.alpha * parameters.thermal_energy_j
    return math.sqrt(dissipation / (GAMMA_RAD_PER_S_T * parameters.moment_a_m2 * time_step_s))


def thermal_field_t(
    parameters: MacrospinParameters, steps: int, trials: int, time_step_s: float, rng: np.random.Generator
) -> np.ndarray:
    """Return thermal fields at the time points 0, dt, ... steps*dt, to be joined by straight lines.

    Returns:
        (steps + 1, trials, 3), tesla.
    """
    return rng.normal(0.0, thermal_field_sigma_t(parameters, time_step_s), (steps + 1, trials, 3))


def boltzmann_start(
    parameters: MacrospinParameters, direction: Direction, trials: int, rng: np.random.Generator
) -> np.ndarray:
    """Return magnetisations from the zero-current equilibrium of the well that `direction` starts in.

    m_z by the inverse of its cumulative distribution, up to the saddle's m_z; then the azimuth given m_z: uniform
    without a field in the plane, von Mises with one.

    Returns:
        (trials, 3), unit vectors.
    """
    saddle = parameters.saddle_mz
    ends = (-1.0, saddle) if direction is Direction.AP_TO_P else (saddle, 1.0)
    coarse = np.linspace(*ends, _COARSE)
    log_density = log_mz_density(parameters, coarse)
    populated = np.flatnonzero(log_density > log_density.max() - _NEGLIGIBLE)
    fine = np.linspace(coarse[max(populated[0] - 1, 0)], coarse[min(populated[-1] + 1, _COARSE - 1)], _FINE)
    log_density = log_mz_density(parameters, fine)
    density = np.exp(log_density - log_density.max())
    cumulative = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    mz = np.interp(rng.random(trials), cumulative / cumulative[-1], fine)
    in_plane = np.sqrt(1 - mz**2)
    towards_field = 0.0 if parameters.b_x_t >= 0 else math.pi
    azimuth = rng.vonmises(towards_field, _in_plane_over_kt(parameters, mz))
    return np.column_stack((in_plane * np.cos(azimuth), in_plane * np.sin(azimuth), mz))


def log_mz_density(parameters: MacrospinParameters, mz: np.ndarray) -> np.ndarray:
    """Return the logarithm of the equilibrium density of m_z at zero current, up to a constant; any shape.

    exp(-E/kT) integrated over azimuth: the field in the plane gives a modified Bessel function I0.
    """
    kappa = _in_plane_over_kt(parameters, mz)
    along_z = parameters.moment_a_m2 / parameters.thermal_energy_j * (parameters.b_k_t * mz / 2 + parameters.b_z_t) * mz
    return np.asarray(along_z + np.log(i0e(kappa)) + kappa)


def _in_plane_over_kt(parameters: MacrospinParameters, mz: np.ndarray) -> np.ndarray:
    """Return |m_inplane| Ms V |b_x|/(k_B T), the concentration of the azimuth around the field's direction."""
    scale = parameters.moment_a_m2 * abs(parameters.b_x_t) / parameters.thermal_energy_j
    return np.asarray(scale * np.sqrt(1 - mz**2))

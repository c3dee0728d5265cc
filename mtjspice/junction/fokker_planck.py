"""Switching probability from the Fokker-Planck equation of m_z; exact for an axially symmetric macrospin.

With time in units of tau_D, z = m_z and the density p(z),

    dp/dt = -d/dz [(1 - z^2) (v(z) p - 1/(2 Delta) dp/dz)],    v(z) = z + b_z/b_k + a(z)/(alpha b_k),

where a is the spin torque of `mtjspice.junction.parameters`. Brown (1963) without the torque term. A Galerkin expansion
in Legendre polynomials turns it into a matrix whose exponential propagates any start. Convergence is spectral; rounding
leaves about 1e-13 of a small probability. A tilt or a field in the plane breaks the symmetry, and such a card
is refused: use the macrospin or ngspice engine.

A junction has switched when m_z is past the energy saddle at the end of the pulse.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.integrate import cumulative_simpson, cumulative_trapezoid
from scipy.linalg import expm
from scipy.special import roots_legendre

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import InputError, ModelError
from mtjspice.junction.closed_form import LARGEST_EXPONENT
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.pulse_checks import check_pulses
from mtjspice.junction.resistance import critical_level
from mtjspice.junction.series import series_current_a

_MOST_MODES = 1024
"""A matrix exponential of this size takes about a second."""


def switching_probability(
    parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float, width_s: float
) -> float:
    """Return P that a rectangular pulse switches a junction in thermal equilibrium; see `switching_probabilities`."""
    return float(switching_probabilities(parameters, direction, drive, [level], [width_s])[0, 0])


def switching_probabilities(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    levels: Sequence[float],
    widths_s: Sequence[float],
) -> np.ndarray:
    """Return P for every level and width.

    Args:
        parameters: an axially symmetric junction.
        direction: sets the initial well (Boltzmann-distributed at zero current) and the sign of the drive.
        drive: what the pulse holds constant.
        levels: (n,) magnitudes, A or V.
        widths_s: (m,) seconds, any order; equal spacing costs the least.

    Returns:
        (n, m) probabilities.

    Raises:
        InputError: a level or width that is negative or not finite, or no width.
        ModelError: the junction is not axially symmetric, or the drive far too strong to resolve.
    """
    return _switched(parameters, direction, drive, levels, widths_s, 0.0)


def switching_probabilities_in_series(
    parameters: MacrospinParameters,
    direction: Direction,
    voltages_v: Sequence[float],
    widths_s: Sequence[float],
    r_series_ohm: float,
) -> np.ndarray:
    """Return P for every voltage and width of a junction behind a series resistance; see `junction.series`.

    Args:
        parameters: an axially symmetric junction.
        direction: sets the initial well and the sign of the drive.
        voltages_v: (n,) magnitudes of the voltage over the junction in its initial state.
        widths_s: (m,) seconds, any order; equal spacing costs the least.
        r_series_ohm: from 0, voltage drive, to infinity, current drive.

    Returns:
        (n, m) probabilities.

    Raises:
        InputError: a voltage, width or resistance that is negative or not a number, or no width.
        ModelError: the junction is not axially symmetric, or the drive far too strong to resolve.
    """
    if not r_series_ohm >= 0:
        raise InputError("a series resistance is not negative", given=f"{r_series_ohm} ohm", allowed="0 ohm or more")
    return _switched(parameters, direction, Drive.VOLTAGE, voltages_v, widths_s, r_series_ohm)


def _switched(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    levels: Sequence[float],
    widths_s: Sequence[float],
    r_series_ohm: float,
) -> np.ndarray:
    widths = np.asarray(widths_s, dtype=float)
    check_pulses(np.asarray(levels, dtype=float), widths)
    order = np.argsort(widths)
    gaps = np.diff(widths[order], prepend=0.0) / parameters.tau_d_s
    stays = np.empty((len(levels), len(widths)))
    for row, level in enumerate(levels):
        start, well, generator = _problem(parameters, direction, drive, level, r_series_ohm)
        propagators: dict[float, np.ndarray] = {}
        density = start
        for column, gap in zip(order, gaps, strict=True):
            # Spacings that differ by rounding only share one matrix exponential; one twice as long takes its square.
            mantissa, exponent = math.frexp(gap)
            key = math.ldexp(round(mantissa * 2**33), exponent - 33)
            if key not in propagators:
                half = propagators.get(key / 2)
                propagators[key] = expm(generator * key) if half is None else half @ half
            density = propagators[key] @ density
            stays[row, column] = well @ density
    return np.clip(1.0 - stays, 0.0, 1.0)


def relaxation_rates_per_s(parameters: MacrospinParameters, count: int = 1) -> np.ndarray:
    """Return the `count` smallest non-zero decay rates at zero current, (count,) 1/s (Brown 1963).

    Meant for low barriers: an eigenvalue below about 1e-13 of the largest is lost in rounding. `escape_time_s` has no
    such limit.
    """
    operator = _operator(parameters, _modes(parameters, 0.0))
    eigenvalues = np.sort(-np.linalg.eigvals(operator.field).real)
    return eigenvalues[1 : count + 1] / parameters.tau_d_s


def escape_time_s(
    parameters: MacrospinParameters, direction: Direction, drive: Drive = Drive.CURRENT, level: float = 0.0
) -> float:
    """Return the mean time in which a junction leaves its initial well, by quadrature; exact at any barrier height.

    The mean first-passage time from the initial pole to a point well past the barrier's top (Gardiner, Stochastic
    Methods, section 5.5). Levels are magnitudes with the sign that favours leaving.

    Raises:
        ModelError: not axially symmetric, or no barrier left at this level (use `switching_probability`).
    """
    _require_symmetry(parameters)
    # s is the distance of m_z from the initial pole; the drift `velocity` holds the junction there while positive.
    s = np.linspace(0.0, 2.0, 20001)
    initial = direction.initial_mz
    velocity = initial * _velocity(parameters, direction, drive, level, initial * (1 - s))
    if velocity[0] <= 0 or velocity.min() >= 0:
        raise ModelError(
            "no barrier holds the junction in its state at this level",
            given=f"{level:.4g} {drive.unit}, {direction.label}",
            allowed=f"below the critical {drive}, {critical_level(parameters, direction, drive):.4g} {drive.unit}",
            next_step="ask for a switching probability instead",
        )
    top = int(np.argmax(velocity < 0))
    target = (top + len(s)) // 2
    potential = 2 * parameters.delta * cumulative_simpson(velocity, x=s, initial=0)
    # Far down the other side there is nothing left to wait for: the cap keeps a cold junction's exponential finite.
    inside = cumulative_trapezoid(np.exp(np.minimum(-potential, LARGEST_EXPONENT)), x=s, initial=0)
    # The barrier is taken out of the exponent and put back at the end.
    integrand = np.exp(potential[1:target] - potential[top]) * inside[1:target] / (s * (2 - s))[1:target]
    mean = 2 * parameters.delta * np.trapezoid(integrand, x=s[1:target])
    return float(parameters.tau_d_s * mean * np.exp(min(potential[top], LARGEST_EXPONENT)))


@dataclass(frozen=True)
class _Operator:
    """The Galerkin expansion in the orthonormal Legendre basis, time in tau_D."""

    z: np.ndarray
    """(2 modes,) where velocities are sampled."""
    basis: np.ndarray
    """(modes, 2 modes) polynomials there."""
    slope: np.ndarray
    """(modes, 2 modes) their derivatives times 1 - z^2 and the weights of the quadrature."""
    field: np.ndarray
    """(modes, modes) the generator without current."""

    def drift(self, velocity: np.ndarray) -> np.ndarray:
        """Return the part of the generator that v(z), (2 modes,), makes."""
        return (self.slope * velocity) @ self.basis.T


@lru_cache(maxsize=16)
def _operator(parameters: MacrospinParameters, modes: int) -> _Operator:
    _require_symmetry(parameters)
    z, weights = roots_legendre(2 * modes)
    basis = _legendre(modes, z)
    degree = np.arange(modes)
    # (1 - z^2) P_k' = k (P_{k-1} - z P_k), in the orthonormal basis.
    below = (
        np.vstack((np.zeros_like(z), basis[:-1])) * np.sqrt((2 * degree + 1) / np.maximum(2 * degree - 1, 1))[:, None]
    )
    slope = degree[:, None] * (below - z * basis) * weights
    field = (slope * _field_velocity(parameters, z)) @ basis.T - np.diag(degree * (degree + 1) / (2 * parameters.delta))
    return _Operator(z, basis, slope, field)


@lru_cache(maxsize=32)
def _start_and_well(parameters: MacrospinParameters, direction: Direction, modes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the Boltzmann start in the initial well and the integral over that well, (modes,) coefficients each."""
    low, high = (-1.0, parameters.saddle_mz) if direction is Direction.AP_TO_P else (parameters.saddle_mz, 1.0)
    z, weights = roots_legendre(4 * modes)
    z, weights = (low + high) / 2 + z * (high - low) / 2, weights * (high - low) / 2
    basis = _legendre(modes, z)
    energy = -2 * parameters.delta * (z**2 / 2 + z * parameters.b_z_t / parameters.b_k_t)
    density = weights * np.exp(energy.min() - energy)
    return basis @ (density / density.sum()), basis @ weights


def _problem(
    parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float, r_series_ohm: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the start, the initial well's functional and the generator."""
    poles = np.array([-1.0, 1.0])
    velocity = _velocity(parameters, direction, drive, level, poles, r_series_ohm)
    modes = _modes(parameters, float(np.abs(velocity).max()))
    if modes > _MOST_MODES:
        critical = f"{critical_level(parameters, direction, drive):.4g} {drive.unit}"
        raise ModelError(
            "the Fokker-Planck solver cannot resolve so strong a drive, or so cold a junction",
            given=f"{level:.4g} {drive.unit}, {direction.label}, thermal stability {parameters.delta:.4g}",
            allowed=f"levels nearer to the critical {drive}, {critical}",
            next_step="check the level's unit and the widths",
        )
    operator = _operator(parameters, modes)
    torque = _torque_velocity(parameters, direction, drive, level, operator.z, r_series_ohm)
    return *_start_and_well(parameters, direction, modes), operator.field + operator.drift(torque)


def _modes(parameters: MacrospinParameters, pole_velocity: float) -> int:
    """Return how many polynomials resolve the densest layer that the drift can press against a pole.

    That layer is Gaussian in angle, exp(-Delta v theta^2), and its Legendre coefficients fall as
    exp(-k^2/(4 Delta v)): 1e-7 at k = 8 sqrt(Delta v), which leaves less than 1e-8 in a probability.
    """
    steepest = max(pole_velocity, 1 + abs(parameters.b_z_t) / parameters.b_k_t)
    return 16 * int(np.ceil(max(8 * np.sqrt(parameters.delta * steepest), 48) / 16))


def _velocity(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    z: np.ndarray,
    r_series_ohm: float = 0.0,
) -> np.ndarray:
    torque = _torque_velocity(parameters, direction, drive, level, z, r_series_ohm)
    return _field_velocity(parameters, z) + torque


def _field_velocity(parameters: MacrospinParameters, z: np.ndarray) -> np.ndarray:
    """Return v(z) without current."""
    return z + parameters.b_z_t / parameters.b_k_t


def _torque_velocity(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    z: np.ndarray,
    r_series_ohm: float,
) -> np.ndarray:
    """Return the torque's part of v(z)."""
    if drive is Drive.CURRENT:
        current = np.full_like(z, level)
    else:
        current = series_current_a(parameters, direction, level, r_series_ohm, z)
    efficiency = parameters.torque_t_per_a / (1 + parameters.asymmetry * z)
    return -efficiency * direction.current_sign * current / (parameters.alpha * parameters.b_k_t)


def _legendre(modes: int, z: np.ndarray) -> np.ndarray:
    """Return the orthonormal Legendre polynomials of degree 0 ... modes - 1 at `z`, (modes, len(z))."""
    values = np.empty((modes, len(z)))
    values[0], values[1] = 1.0, z
    for k in range(1, modes - 1):
        values[k + 1] = ((2 * k + 1) * z * values[k] - k * values[k - 1]) / (k + 1)
    return values * np.sqrt(np.arange(modes) + 0.5)[:, None]


def _require_symmetry(parameters: MacrospinParameters) -> None:
    if not parameters.is_axially_symmetric:
        raise ModelError(
            "the Fokker-Planck engine needs an axially symmetric junction",
            given=f"in-plane field {parameters.b_x_t:.4g} T, reference tilt with p_x = {parameters.p_x:.4g}",
            allowed="no field in the plane and no tilt: then m_z alone is a Markov process",
            next_step="use --engine macrospin or --engine ngspice for this card",
        )

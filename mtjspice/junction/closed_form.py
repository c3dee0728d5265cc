"""Closed forms: eq. 5 of Mondal & Srivastava, its noise correction, and retention.

All of them belong to a junction without a field in the plane. A stray field along z and an angular efficiency enter
through the curvature of the initial well, Delta (1 + h m) and the critical current, with h = b_z/b_k and m = +-1 the
initial m_z; the path away from the well is then still taken as symmetric, so with them the forms are approximations.
Use Fokker-Planck where the number matters.
"""

import math

from scipy.optimize import brentq

from mtjspice.cards.conventions import Direction
from mtjspice.errors import ModelError
from mtjspice.junction.parameters import MacrospinParameters

LARGEST_EXPONENT = 700.0
"""Of a time that stays a finite number: 1e304 attempt times."""


def switching_probability_eq5(
    parameters: MacrospinParameters,
    direction: Direction,
    i_write_a: float,
    width_s: float,
    *,
    noise_during_pulse: bool = True,
) -> float:
    """Return P = exp(-4 f(a) Delta exp(-2 t/T)), f(a) = (2a/(a - 1))^(-2/(a + 1)), T = tau_D/(a - 1), a = I/I_c0.

    Eq. 5 is the zero-temperature trajectory from a Boltzmann-distributed start. `noise_during_pulse` multiplies Delta
    by (a - 1)/a for the thermal field during the pulse, which brings 1 - P from 1.5 ... 4 times too large to within
    about 25 % of Fokker-Planck.

    Args:
        i_write_a: magnitude of the write current.
        width_s: width of a rectangular pulse.

    Raises:
        ModelError: at or below the current where eq. 5 has its minimum. It is not monotone: towards I_c0 it rises
            to 1 again, which is wrong; below, switching is thermally activated.
    """
    if not parameters.is_axially_symmetric:
        raise ModelError(
            "eq. 5 knows neither a field in the plane nor a tilt",
            given=f"in-plane field {parameters.b_x_t:.4g} T, reference tilt with p_x = {parameters.p_x:.4g}",
            next_step="use --engine macrospin or --engine ngspice for this card",
        )
    tau_d_s, delta = _well(parameters, direction)
    overdrive = i_write_a / parameters.critical_current_a(direction)
    limit_a = lowest_current_a(parameters, direction, width_s, noise_during_pulse=noise_during_pulse)
    if i_write_a < limit_a:
        raise ModelError(
            "eq. 5 does not hold at this current",
            given=f"{i_write_a:.4g} A for {width_s:.4g} s, {direction.label}",
            allowed=f"at least {limit_a:.4g} A, where eq. 5 has its minimum at this width",
            next_step="use --engine fokker_planck, which holds at every current",
        )
    exponent = _log_prefactor(overdrive) - 2 * (overdrive - 1) * width_s / tau_d_s
    if noise_during_pulse:
        exponent += math.log((overdrive - 1) / overdrive)
    return math.exp(-4 * delta * math.exp(exponent))


def lowest_current_a(
    parameters: MacrospinParameters, direction: Direction, width_s: float, *, noise_during_pulse: bool = True
) -> float:
    """Return the current at which eq. 5 is least for a pulse of `width_s`; below, it rises again, wrongly."""
    tau_d_s, _ = _well(parameters, direction)

    def slope(a: float) -> float:
        """Slope of ln(-ln P) in a = I/I_c0: the prefactors' positive one against the exponential's negative one."""
        prefactor = 2 / (a + 1) ** 2 * math.log(2 * a / (a - 1)) + 2 / ((a + 1) * a * (a - 1))
        noise = 1 / (a * (a - 1)) if noise_during_pulse else 0.0
        return prefactor + noise - 2 * width_s / tau_d_s

    high = 2.0
    while slope(high) > 0:
        high *= 2
    # Near a = 1 the slope grows as 1/(a - 1).
    low = 1 + min(1e-3, 0.1 * tau_d_s / width_s)
    return float(brentq(slope, low, high)) * parameters.critical_current_a(direction)


def attempt_time_s(parameters: MacrospinParameters, direction: Direction) -> float:
    """Return tau_0 of retention = tau_0 exp(barrier): tau_D sqrt(pi/Delta)/((1 - h^2)(1 + h m)) (Brown 1963).

    The high-barrier limit; its relative error is of order 1/Delta.
    """
    h = parameters.b_z_t / parameters.b_k_t
    bracket = (1 - h**2) * (1 + h * direction.initial_mz)
    return parameters.tau_d_s * math.sqrt(math.pi / parameters.delta) / bracket


def retention_s(parameters: MacrospinParameters, direction: Direction) -> float:
    """Return the Neel-Brown mean time of leaving the initial state of `direction` at zero current."""
    return attempt_time_s(parameters, direction) * math.exp(min(parameters.delta_from(direction), LARGEST_EXPONENT))


def _log_prefactor(overdrive: float) -> float:
    return -2 / (overdrive + 1) * math.log(2 * overdrive / (overdrive - 1))


def _well(parameters: MacrospinParameters, direction: Direction) -> tuple[float, float]:
    """Return the relaxation time and the curvature of the initial well in units of k_B T."""
    factor = 1 + direction.initial_mz * parameters.b_z_t / parameters.b_k_t
    return parameters.tau_d_s / factor, parameters.delta * factor

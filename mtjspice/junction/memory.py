"""What a junction remembers of earlier pulses while it stays in its well: how far its angle spreads.

Near the pole the squared angle <theta^2>, in units of its equilibrium value, obeys

    ds/dt = 2 kappa ((i - 1) s + 1),    i = I/I_c0, counted positive where the current drives out of the well,

the Ornstein-Uhlenbeck equation of the linearised macrospin, kappa = alpha gamma'(b_k + b_z m_z). Below the critical
current s tends to 1/(1 - i): such a current heats (i > 0) or cools (i < 0) without switching. A pulse that finds s goes
on where a pulse from equilibrium (s = 1) has the same s, `head_start_s` after its beginning.

Which junction switches is decided by a number of its own, its depth: with the squared angle exponentially distributed,
the one at angle theta is beyond a share exp(-depth) of its kind, depth = theta^2/s, and it has switched when P reaches
exp(-depth). Far out the angle is no longer linear, and after a change of voltage the same junction stands at another
depth. Let the linearised angle at the saddle be C1 under the old voltage and C2 under the new one: the smooth map that
leaves small angles alone and takes C1 to C2 is 1/theta_2^2 = 1/theta_1^2 + 1/C2 - 1/C1. As -ln P = C/s, that is

    1/depth_2 = 1/depth_1 + lag_2 - lag_1,    lag = -1/ln P,

with P what the old pulse reached and what the new one has at its head start. A junction that had not switched then has
not switched now.

Where no current drives it out, noise replaces the angle as the Ornstein-Uhlenbeck process has it: of the s at the end
the share exp(2 kappa (i - 1) t) s_0/s is what is left of the angle, the rest is new (`kept_share`).
"""

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters

FLOOR = 1e-10
"""Of a probability that means nothing; a `CellSurface` extrapolates below it."""
NO_LAG = -1 / np.log(FLOOR)
"""Of a junction that no voltage has driven out of its well."""
LEAST_DEPTH = 1e-12
NEAR_CRITICAL = 1e-6
LARGEST_SPREAD = 1e3
"""Of s: an angle as wide as the well; the linear equation ends there."""


def relaxation_rate_per_s(parameters: MacrospinParameters, direction: Direction) -> float:
    """Return kappa of the well that `direction` starts in."""
    return parameters.alpha * parameters.gamma_prime * (parameters.b_k_t + direction.initial_mz * parameters.b_z_t)


def spread_after(spread: np.ndarray, ratio: np.ndarray, rate_per_s: np.ndarray, t_s: float) -> np.ndarray:
    """Return s after `t_s` at a constant current; arrays of any one shape.

    Args:
        spread: s at the beginning.
        ratio: i.
        rate_per_s: kappa.
    """
    above = _above_critical(ratio)
    exponent = np.minimum(2 * rate_per_s * above * t_s, 50.0)
    return np.clip(np.exp(exponent) * (spread + 1 / above) - 1 / above, 0.0, LARGEST_SPREAD)


def kept_share(spread: np.ndarray, ratio: np.ndarray, rate_per_s: np.ndarray, t_s: float) -> np.ndarray:
    """Return how much of s after `t_s` is left of the s that there was; arguments as of `spread_after`, i below 1."""
    left = np.exp(2 * rate_per_s * (ratio - 1) * t_s) * spread
    return np.minimum(left / spread_after(spread, ratio, rate_per_s, t_s), 1.0)


def head_start_s(spread: np.ndarray, ratio: np.ndarray, rate_per_s: np.ndarray) -> np.ndarray:
    """Return when a pulse from equilibrium has the spread s; arrays of any one shape, `ratio` above 0.

    Negative where s is below 1, after a current that cooled; infinite where such a pulse never spreads so far.
    """
    above = _above_critical(ratio)
    growth = (spread * above + 1) / (above + 1)
    found = np.log(np.maximum(growth, 1e-300)) / (2 * rate_per_s * above)
    return np.where(growth > 0, found, np.inf)


def _above_critical(ratio: np.ndarray) -> np.ndarray:
    """Return i - 1, kept off zero."""
    above = ratio - 1
    return np.where(np.abs(above) < NEAR_CRITICAL, NEAR_CRITICAL, above)


def lag_of(probability: np.ndarray) -> np.ndarray:
    """Return -1/ln P, any shape; probabilities that a `CellSurface` cannot tell from 0 and 1 are held off them."""
    return -1 / np.log(np.clip(probability, FLOOR, 1 - LEAST_DEPTH))


def depth_at(depth: np.ndarray, lag_before: np.ndarray, lag_now: np.ndarray) -> np.ndarray:
    """Return each junction's depth after a change of voltage; arrays of any one shape."""
    return 1 / np.maximum(1 / np.maximum(depth, LEAST_DEPTH) + lag_now - lag_before, LEAST_DEPTH)

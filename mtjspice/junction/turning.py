"""The drift of m_z, without noise: how a junction that has just crossed the saddle goes on turning.

dm_z/dt = (1 - m_z^2) v(m_z)/tau_D with the v of `junction.fokker_planck`.
"""

import math

import numpy as np

from mtjspice.junction.compiled import compiled
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm

_STEP_TAU_D = 0.005
"""Of the midpoint rule; 7 ps for the paper's junction."""


def turn(
    parameters: MacrospinParameters, mz: float, v_v: float, r_series_ohm: float, t_s: float
) -> tuple[float, float]:
    """Return m_z after `t_s`, and when it crossed the saddle; infinity if it did not.

    Args:
        parameters: an axially symmetric junction.
        mz: at the beginning; starting at the saddle is no crossing.
        v_v: signed voltage over the junction at that m_z; positive drives towards antiparallel.
        r_series_ohm: in series with it.
    """
    g_p, g_ap = 1 / parameters.r_p_ohm, 1 / antiparallel_resistance_ohm(parameters, abs(v_v))
    mean_s, slope_s = (g_p + g_ap) / 2, (g_p - g_ap) / 2
    source_v = v_v * (1 + r_series_ohm * (mean_s + slope_s * mz)) if math.isfinite(r_series_ohm) else v_v
    strength = -parameters.torque_t_per_a / (parameters.alpha * parameters.b_k_t)
    steps = max(1, math.ceil(t_s / (_STEP_TAU_D * parameters.tau_d_s)))
    return _turn(
        mz,
        parameters.saddle_mz,
        np.array([mean_s, slope_s, source_v, min(r_series_ohm, 1e12), strength, parameters.asymmetry]),
        t_s / parameters.tau_d_s / steps,
        steps,
        parameters.tau_d_s,
    )


@compiled()
def _velocity(z, saddle, load):  # type: ignore[no-untyped-def]
    mean_s, slope_s, source_v, r_ohm, strength, asymmetry = load
    conductance = mean_s + slope_s * z
    current = source_v * conductance / (1.0 + r_ohm * conductance)
    return (1.0 - z * z) * (z - saddle + strength * current / (1.0 + asymmetry * z))


@compiled()
def _turn(z, saddle, load, step, steps, tau_d_s):  # type: ignore[no-untyped-def]
    side = z - saddle
    crossed_s = math.inf
    for n in range(steps):
        before = z
        z = min(max(z + step * _velocity(z + 0.5 * step * _velocity(z, saddle, load), saddle, load), -1.0), 1.0)
        if side == 0.0:
            side = z - saddle
        elif crossed_s == math.inf and (z - saddle) * side < 0.0:
            crossed_s = (n + (before - saddle) / (before - z)) * step * tau_d_s
    return z, crossed_s

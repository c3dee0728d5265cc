"""The drift of m_z, without noise: how a junction that is far out of its well goes on.

dm_z/dt = (1 - m_z^2) v(m_z)/tau_D with the v of `junction.fokker_planck`, behind a Thevenin source.
"""

import math

import numpy as np

from mtjspice.junction.compiled import compiled
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm

_STEP_TAU_D = 0.005
"""Of the midpoint rule; 7 ps for the paper's junction."""


def turn(
    parameters: MacrospinParameters,
    mz: np.ndarray,
    v_v: np.ndarray,
    pole: np.ndarray,
    r_series_ohm: np.ndarray,
    t_s: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return m_z after `t_s`, and when it crossed the saddle, infinity where it did not; (n,) each.

    Args:
        parameters: an axially symmetric junction.
        mz: at the beginning; starting at the saddle is no crossing.
        v_v: signed voltage over the junction while it is at `pole`; positive drives towards antiparallel.
        pole: m_z of the state, 1 or -1, in which it has that voltage.
        r_series_ohm: in series with it.
        t_s: how long; negative runs back in time.
    """
    g_p, g_ap = 1 / parameters.r_p_ohm, 1 / antiparallel_resistance_ohm(parameters, np.abs(v_v))
    mean_s, slope_s = (g_p + g_ap) / 2, (g_p - g_ap) / 2
    ohms = np.minimum(r_series_ohm, 1e9)
    return _turn_each(
        mz,
        mean_s,
        slope_s,
        v_v * (1 + ohms * (mean_s + slope_s * pole)),
        ohms,
        t_s / parameters.tau_d_s,
        parameters.saddle_mz,
        -parameters.torque_t_per_a / (parameters.alpha * parameters.b_k_t),
        parameters.asymmetry,
        parameters.tau_d_s,
    )


@compiled(forceinline=True)
def _velocity(z, mean_s, slope_s, source_v, ohms, saddle, strength, asymmetry):  # type: ignore[no-untyped-def]
    conductance = mean_s + slope_s * z
    current = source_v * conductance / (1.0 + ohms * conductance)
    return (1.0 - z * z) * (z - saddle + strength * current / (1.0 + asymmetry * z))


@compiled()
def _turn_each(  # type: ignore[no-untyped-def]
    mz, mean_s, slope_s, source_v, ohms, duration, saddle, strength, asymmetry, tau_d_s
):
    """Return `turn` with durations in tau_D."""
    ends, crossed_s = np.empty(mz.size), np.full(mz.size, math.inf)
    for k in range(mz.size):
        z = mz[k]
        side = z - saddle
        steps = max(1, math.ceil(abs(duration[k]) / _STEP_TAU_D))
        step = duration[k] / steps
        for n in range(steps):
            before = z
            slope = _velocity(z, mean_s[k], slope_s[k], source_v[k], ohms[k], saddle, strength, asymmetry)
            middle = z + 0.5 * step * slope
            z += step * _velocity(middle, mean_s[k], slope_s[k], source_v[k], ohms[k], saddle, strength, asymmetry)
            z = min(max(z, -1.0), 1.0)
            if side == 0.0:
                side = z - saddle
            elif crossed_s[k] == math.inf and (z - saddle) * side < 0.0:
                crossed_s[k] = (n + (before - saddle) / (before - z)) * step * tau_d_s
        ends[k] = z
    return ends, crossed_s

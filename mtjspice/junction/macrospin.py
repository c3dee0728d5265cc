"""Monte-Carlo of one macrospin under a write pulse, thermal noise included."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import InputError
from mtjspice.junction.heun import Torques, advance, follow
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.pulse_checks import check_amount, check_pulses, check_relaxation
from mtjspice.junction.resistance import conductance_s
from mtjspice.junction.thermal import boltzmann_start, thermal_field_sigma_t
from mtjspice.junction.time_step import check_time_step, check_torque, default_time_step_s

_BLOCK = 2**15
"""Random words drawn at a time: few enough to stay in the second-level cache until the kernel reads them."""
_MOST_TRIAL_STEPS = 10**9
"""In one call: some two minutes."""


def simulate_pulses(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    widths_s: Sequence[float] | np.ndarray,
    trials: int,
    rng: np.random.Generator,
    *,
    time_step_s: float | None = None,
    relax_s: float = 0.0,
) -> np.ndarray:
    """Return m_z at the end of pulses of each width, each trajectory starting from the equilibrium of its well.

    A trajectory that runs to the longest width answers all of them. Between widths steps are equal and no longer
    than `time_step_s`.

    Args:
        parameters: the junction.
        direction: which way the pulse drives; also the well that trajectories start in.
        drive: what the pulse holds constant.
        level: its magnitude, A or V.
        widths_s: pulse widths, any order.
        trials: number of trajectories.
        rng: source of the starts and of the noise; its state decides every bit of the result.
        time_step_s: the longest step; `default_time_step_s` when left out.
        relax_s: time at zero drive between the pulse and the reading of m_z; unless 0, there is one width.

    Returns:
        (trials, widths).

    Raises:
        ModelError: the time step does not resolve the motion.
        InputError: a width, level or count that is not positive; relaxation after several widths, which would need
            a trajectory for each; more steps than a call should take.
    """
    widths = np.asarray(widths_s, dtype=float)
    check_pulses(np.array([level]), widths)
    check_relaxation(relax_s, widths)
    if widths.min() == 0:
        raise InputError("a pulse of no width is nothing to simulate", given="0 s", allowed="above 0 s")
    step_s = default_time_step_s(parameters) if time_step_s is None else time_step_s
    check_time_step(parameters, step_s)
    check_torque(parameters, drive, level, step_s)
    check_amount(widths.max() + relax_s, step_s, trials, _MOST_TRIAL_STEPS)
    torques = _torques(parameters, direction, drive, level)
    m = np.ascontiguousarray(boltzmann_start(parameters, direction, trials, rng).T)
    noise = _NoiseStream(trials, rng)

    ends, order = np.unique(widths, return_inverse=True)
    mz = np.empty((trials, ends.size))
    for index, (start, end) in enumerate(pairwise((0.0, *ends))):
        _run(m, parameters, torques, end - start, step_s, noise)
        mz[:, index] = m[2]
    if relax_s > 0:
        _run(m, parameters, torques._replace(a0=0.0, a1=0.0), relax_s, step_s, noise)
        mz[:, 0] = m[2]
    return mz[:, order]


def trajectory(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    m0: np.ndarray,
    field_t: np.ndarray,
    time_step_s: float,
) -> np.ndarray:
    """Return the path of m under a given thermal field, linear between its time points, and a pulse that stays on.

    Args:
        parameters: the junction.
        direction: which way the pulse drives.
        drive: what the pulse holds constant.
        level: its magnitude, A or V.
        m0: (trials, 3), unit vectors.
        field_t: (steps + 1, trials, 3), tesla, as from `thermal_field_t`.
        time_step_s: spacing of the field's time points, and the step taken.

    Returns:
        (steps + 1, trials, 3).

    Raises:
        ModelError: the time step does not resolve the motion.
        ValueError: shapes that do not fit.
    """
    if m0.shape[1:] != (3,) or field_t.ndim != 3 or field_t.shape[1:] != m0.shape:
        raise ValueError(f"m0 {m0.shape} and field {field_t.shape} are not (trials, 3) and (steps + 1, trials, 3)")
    check_time_step(parameters, time_step_s)
    check_torque(parameters, drive, level, time_step_s)
    torques = _torques(parameters, direction, drive, level)
    field = np.ascontiguousarray(field_t.transpose(0, 2, 1), dtype=float)
    path = np.empty_like(field)
    path[0] = m0.T
    follow(path, field, parameters.gamma_prime * time_step_s, torques)
    return path.transpose(0, 2, 1)


class _NoiseStream:
    """Random bits, drawn in blocks whose size depends on the number of trials only.

    So the noise of step n does not depend on where the widths are.
    """

    def __init__(self, trials: int, rng: np.random.Generator) -> None:
        self._shape = (max(1, _BLOCK // trials), trials)
        self._block = np.empty((0, trials), dtype=np.uint64)
        self._rng = rng

    def take(self, steps: int) -> np.ndarray:
        """Return the next `steps` steps of noise, or as many as the block still has: (steps, trials)."""
        if len(self._block) == 0:
            self._block = self._rng.integers(0, 2**64, self._shape, dtype=np.uint64)
        taken, self._block = self._block[:steps], self._block[steps:]
        return taken


def _run(
    m: np.ndarray,
    parameters: MacrospinParameters,
    torques: Torques,
    duration_s: float,
    longest_step_s: float,
    noise: _NoiseStream,
) -> None:
    """Advance m, (3, trials), by `duration_s` in equal steps."""
    steps = max(1, math.ceil(duration_s / longest_step_s * (1 - 1e-9)))
    step_s = duration_s / steps
    sigma, angle = thermal_field_sigma_t(parameters, step_s), parameters.gamma_prime * step_s
    while steps > 0:
        words = noise.take(steps)
        advance(m, words, sigma, angle, torques)
        steps -= len(words)


def _torques(parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float) -> Torques:
    """Return the kernel's numbers for a pulse. At constant voltage the current is linear in c = m . p."""
    if drive is Drive.CURRENT:
        i_p, i_ap = level, level
    else:
        i_p = level * conductance_s(parameters, level, 1.0)
        i_ap = level * conductance_s(parameters, level, -1.0)
    torque = -parameters.torque_t_per_a * direction.current_sign
    return Torques(
        alpha=parameters.alpha,
        b_k=parameters.b_k_t,
        b_z=parameters.b_z_t,
        b_x=parameters.b_x_t,
        p_x=parameters.p_x,
        p_z=parameters.p_z,
        a0=torque * (i_p + i_ap) / 2,
        a1=torque * (i_p - i_ap) / 2,
        asymmetry=parameters.asymmetry,
    )

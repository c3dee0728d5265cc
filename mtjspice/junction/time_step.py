"""How long a time step may be, for the macrospin and for ngspice alike.

At a precession of w, both hold a junction as if it were colder by (w dt)^2/4: Heun's steps because they weaken the
white field (see `junction.heun`), the trapezoidal rule because it does the same to a field of straight lines between
samples. The trapezoidal rule also slows damping and the torque's growth by that share, since one step multiplies the
cone by |(1 + l dt/2)/(1 - l dt/2)|, l = i w - rate; measured in ngspice, 0.60 % at 0.155 rad. By
Fokker-Planck, a junction that stayed near its well would so lose 11 % of P = 0.05 at 0.2 rad, the longest step allowed;
precession slows down on the way out, and on equal noise paths it lost 5 % +- 3 % at 0.19 rad.
"""

import math

from mtjspice.cards.conventions import Drive
from mtjspice.errors import ModelError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s
from mtjspice.units import GAMMA_RAD_PER_S_T

_DEFAULT_SHARE, _LARGEST_SHARE = 0.0025, 0.01
"""(w dt)^2/4 at the fastest precession w: by default, and at most. 0.1 and 0.2 rad a step."""
_LARGEST_TORQUE_ANGLE = 0.3
"""Turn per step by the spin torque alone, rad; its relative error is angle^2/6 = 1.5 %."""


def default_time_step_s(parameters: MacrospinParameters) -> float:
    """Return the time step that follows precession well: a tenth of a radian, 2.6 ps for `mondal2018`.

    A tenth at w = gamma (b_k + |b_z| + |b_x|). In the macrospin it lowers P by 0.3 % of itself where P = 0.05.
    """
    return _time_step_s(parameters, _DEFAULT_SHARE)


def longest_time_step_s(parameters: MacrospinParameters) -> float:
    """Return the longest time step that `check_time_step` accepts: 5.2 ps for `mondal2018`."""
    return _time_step_s(parameters, _LARGEST_SHARE)


def check_time_step(parameters: MacrospinParameters, time_step_s: float) -> None:
    """Raise `ModelError` where `time_step_s` is too long for the precession: more than 0.2 rad a step."""
    longest = longest_time_step_s(parameters)
    if not 0 < time_step_s <= longest:
        # Three digits, rounded down: what is printed is accepted.
        printed = f"{0.995 * longest:.3g} s"
        raise ModelError(
            "the time step does not resolve the junction's precession: switching would come out too rare",
            given=f"{time_step_s:.4g} s",
            allowed=f"above 0, at most {printed}, which is 0.2 rad of the fastest precession",
            next_step=f"set the campaign card's time_step_s to {printed} or less",
        )


def check_torque(parameters: MacrospinParameters, drive: Drive, level: float, time_step_s: float) -> None:
    """Raise `ModelError` where the torque of a pulse of `level` turns the magnetisation too far in one step."""
    current_a = level if drive is Drive.CURRENT else level * conductance_s(parameters, level, 1.0)
    strongest_t = parameters.torque_t_per_a * current_a / (1 - abs(parameters.asymmetry))
    if parameters.gamma_prime * strongest_t * time_step_s > _LARGEST_TORQUE_ANGLE:
        raise ModelError(
            "the spin torque turns the magnetisation too far in one time step",
            given=f"a pulse of {level:.4g} {drive.unit} at a step of {time_step_s:.3g} s",
            allowed=f"at most {_LARGEST_TORQUE_ANGLE} rad per step",
            next_step="check the level's unit, or give a shorter time step",
        )


def _time_step_s(parameters: MacrospinParameters, share: float) -> float:
    """Return the time step at which (w dt)^2/4 of the fastest precession is `share`."""
    fields = parameters.b_k_t + abs(parameters.b_z_t) + abs(parameters.b_x_t)
    return 2 * math.sqrt(share) / (GAMMA_RAD_PER_S_T * fields)

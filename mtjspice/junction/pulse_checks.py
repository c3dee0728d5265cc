"""What every engine asks of pulses before it starts."""

import math

import numpy as np

from mtjspice.errors import InputError


def check_pulses(levels: np.ndarray, widths_s: np.ndarray) -> None:
    """Raise `InputError` unless levels, (n,), are magnitudes and widths, (m,), are times, at least one of each."""
    for level in levels:
        if not 0 <= level < math.inf:
            raise InputError("a pulse's level is a magnitude", given=level, allowed="0 or more, finite")
    if widths_s.ndim != 1 or widths_s.size == 0 or not (np.isfinite(widths_s) & (widths_s >= 0)).all():
        raise InputError("a pulse's width is a time", given=widths_s, allowed="0 s or more, finite")


def check_relaxation(relax_s: float, widths_s: np.ndarray) -> None:
    """Raise `InputError` unless `relax_s` is a time; and unless it is 0, there must be one width."""
    if not 0 <= relax_s < math.inf:
        raise InputError("relaxation is a time", given=relax_s, allowed="0 s or more, finite")
    if relax_s > 0 and widths_s.size > 1:
        raise InputError(
            "relaxation needs a trajectory for each width",
            given=f"{widths_s.size} widths",
            allowed="one width",
            next_step="simulate the widths one after another",
        )


def check_amount(duration_s: float, time_step_s: float, trials: int, most: int) -> None:
    """Raise `InputError` unless there are trials, and steps times trials is at most `most`: before any is allocated."""
    if trials < 1:
        raise InputError("there is nothing to simulate", given=f"{trials} trials", allowed="1 or more")
    longest_s = most / trials * time_step_s
    if duration_s > longest_s:
        raise InputError(
            "this is too much to simulate at once",
            given=f"{trials} trials of {duration_s:.3g} s at steps of {time_step_s:.3g} s",
            allowed=f"steps times trials at most {most:.0e}: {longest_s:.2g} s for {trials} trials",
            next_step="check the width's unit, or simulate shorter pulses or fewer trials together",
        )

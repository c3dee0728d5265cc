"""Binary weights found in software, written into crossbars (the paper's DP).

1T1R: each cell takes one strong pulse of its own. 1R: see `surrogate` for what sneak paths do meanwhile.
"""

import numpy as np

from mtjspice.surrogate.ideal_array import write_device
from mtjspice.surrogate.strong_pulse import failure_probability
from mtjspice.training.crossbars import new_array, set_state
from mtjspice.training.rule import Hardware, Tally

_T_STRONG_S = 10e-9


def programmed_weights(
    hardware: Hardware, weights: list[np.ndarray], rng: np.random.Generator
) -> tuple[list[np.ndarray], Tally]:
    """Return what reads see of arrays into which the signs of `weights`, (rows, columns) each, were written."""
    device = write_device(hardware.model)
    found, tally = [], Tally()
    for weight in weights:
        cells, array = new_array(hardware, device, rng.integers(0, 2, weight.shape), rng)
        aimed = (weight > 0).T
        wrong = array.state != aimed
        fails = failure_probability(hardware.model, device, cells, _T_STRONG_S)
        p_fail = np.where(array.state == 1, fails[1], fails[0])
        flips = wrong & (rng.random(wrong.shape) >= p_fail)
        set_state(array, np.where(flips, aimed, array.state))
        tally.flips += int(flips.sum())
        found.append(array.weight)
    return found, tally

"""Binary weights found in software, written into crossbars (the paper's DP), with pulses that are meant to be sure.

1T1R: every cell that has to change takes one strong pulse. 1R: a column is written at a time, its cells that have to go
to AP and then those that have to go to P, while all other lines float; columns that are already written see what sneaks
through them. A layer's arrays, `cut_layers`, are programmed one by one.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.large_write import large_device, not_converged_reported, write_cells
from mtjspice.surrogate.strong_pulse import failure_probability
from mtjspice.surrogate.weights import read_weights
from mtjspice.training.crossbars import new_cells
from mtjspice.training.cut_layers import array_of, cut_layer, states_of
from mtjspice.training.rule import Hardware, Tally

_T_STRONG_S = 10e-9


@dataclass(frozen=True)
class Programmed:
    """Arrays after programming.

    Args:
        weights: for each layer (rows, columns), as a read sees them.
        states: for each layer (rows, columns), 1 parallel, 0 antiparallel.
        tally: flips, and false ones.
    """

    weights: list[np.ndarray]
    states: list[np.ndarray]
    tally: Tally


def programmed_weights(hardware: Hardware, weights: list[np.ndarray], rng: np.random.Generator) -> Programmed:
    """Return arrays into which the signs of `weights`, (rows, columns) each, were written.

    Raises:
        SimulationError: floating lines whose voltages do not converge.
    """
    program = _programmed_1r if hardware.model.architecture is Architecture.ONE_R else _programmed_1t1r
    found = Programmed([], [], Tally())
    for weight in weights:
        aimed = (weight > 0).astype(np.uint8)
        cells = new_cells(hardware, rng.integers(0, 2, weight.shape), rng)
        with not_converged_reported():
            state = program(hardware, cells, aimed, found.tally, rng)
        of_ap, of_p = read_weights(hardware.model, cells)
        found.weights.append(np.where(state == 1, of_p, of_ap))
        found.states.append(state)
    return found


def _programmed_1t1r(
    hardware: Hardware, cells: Cells, aimed: np.ndarray, tally: Tally, rng: np.random.Generator
) -> np.ndarray:
    """Return states, (rows, columns), and count flips."""
    fails = failure_probability(hardware.model, cells, _T_STRONG_S).transpose(0, 2, 1)
    p_fail = np.where(cells.state == 1, fails[1], fails[0])
    flips = (cells.state != aimed) & (rng.random(aimed.shape) >= p_fail)
    tally.flips += int(flips.sum())
    return np.where(flips, aimed, cells.state)


def _programmed_1r(
    hardware: Hardware, cells: Cells, aimed: np.ndarray, tally: Tally, rng: np.random.Generator
) -> np.ndarray:
    """Return states, (rows, columns), and count flips and false flips."""
    device = large_device(hardware.model, cells)._replace(t0_s=_T_STRONG_S, t1_s=0.0)
    layer = cut_layer(cells, hardware.array_rows)
    for k, (first, end) in enumerate(pairwise(layer.starts)):
        array, aim = array_of(layer, k), aimed[first:end]
        for j in range(aim.shape[1]):
            for goal in (0, 1):
                x = ((array.state[j] != aim[:, j]) & (aim[:, j] == goal)).astype(float)
                delta = np.zeros(aim.shape[1])
                # Table 1: x delta > 0 lowers the weight, P -> AP.
                delta[j] = 1.0 if goal == 0 else -1.0
                if x.any():
                    places, _ = write_cells(rng, device, array, x, delta, 4, hardware.mean_field, False)
                    tally.false_flips += int(places[:, 2].sum())
                    tally.flips += len(places) - int(places[:, 2].sum())
    return states_of(layer)

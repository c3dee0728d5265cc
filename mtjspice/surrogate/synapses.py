"""Quantised synapses on the surrogate: what pulses and reads have to know of each junction."""

from typing import NamedTuple

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.ternary import WeightKind, read_shares
from mtjspice.surrogate.ideal_array import WriteDevice, resistances
from mtjspice.surrogate.model import ArrayModel


class Synapses(NamedTuple):
    """One layer's junctions; a layer's weights are (columns, rows), outputs by inputs."""

    kind: WeightKind
    share: np.ndarray
    """(2, junctions, columns, rows) float32 what a junction in AP (0) or P (1) adds to the weight that is read."""
    resistance: np.ndarray
    """(2, 2, junctions, columns, rows) float32 of a junction that leaves AP (0) or P (1), in units of a nominal one's
    at the same voltage; at I0 (0) and I0 + I1 (1)."""
    switches: np.ndarray
    """(junctions, columns, rows) bool, junctions that can be written."""

    def weights(self, state: np.ndarray) -> np.ndarray:
        """Return the weights (columns, rows) float32 that a read sees in states (junctions, columns, rows)."""
        return np.where(state == 1, self.share[1], self.share[0]).sum(axis=0)


def synapses(model: ArrayModel, device: WriteDevice, kind: WeightKind, junctions: tuple[Cells, ...]) -> Synapses:
    """Return a layer's synapses.

    Args:
        model: 1T1R.
        device: of the model.
        kind: of weights.
        junctions: the cells (rows, columns) of M1, and of M2 where weights are ternary.
    """
    g_p, g_ap = model.cell_conductances_s
    g_s = np.empty((2, kind.junctions, *junctions[0].state.T.shape))
    for state in (0, 1):
        for n, cells in enumerate(junctions):
            g_s[state, n] = model.conductance_s(cells.with_state(np.full(cells.state.shape, state))).T
    found = [resistances(model, device, cells) for cells in junctions]
    return Synapses(
        kind=kind,
        share=np.stack([read_shares(kind, g, model.reference_s, g_p - g_ap) for g in g_s]),
        resistance=np.ascontiguousarray(np.stack(found, axis=1).transpose(4, 0, 1, 2, 3)),
        switches=np.stack([cells.switches.T for cells in junctions]),
    )


def new_junctions(
    model: ArrayModel, state: np.ndarray, variation_percent: float, rng: np.random.Generator
) -> tuple[Cells, ...]:
    """Return the cells of states (junctions, columns, rows), whose resistances vary.

    Raises:
        InputError: a spread out of range.
    """
    found = (Cells.nominal(model.parameters, one.T, model.array.r_short_ohm) for one in state)
    return tuple(cells.varied(variation_percent, rng) if variation_percent else cells for cells in found)

"""What reads make of binary weights written onto a die.

In 1T1R every cell is behind its own select transistor. In 1R nothing is between a cell and its lines, which are taken
for ideal with their switches: a short is all that its column's sense amplifier sees.
"""

from dataclasses import replace

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.dies import Die
from mtjspice.crossbar.pairs import PairParts, pair_parts, pair_states
from mtjspice.crossbar.wired_read import effective_conductance_s
from mtjspice.surrogate.read_model import ReadModel


def die_parts(model: ReadModel, die: Die) -> tuple[PairParts, ...]:
    """Return the parts of each array's pairs; wires are left out."""
    span_s = _span_s(model)
    return tuple(
        pair_parts(np.stack([_conductance_s(model, _written(cells, state)) for state in (0, 1)]), span_s)
        for cells in die.arrays
    )


def wired_weights(model: ReadModel, die: Die, weights: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Return what a read makes of weights of +1 and -1 on each array, (rows, columns), wires included."""
    span_s, r_segment_ohm = _span_s(model), model.array.wires.r_segment_ohm
    found = []
    for cells, wanted in zip(die.arrays, weights, strict=True):
        g_s = _conductance_s(model, _written(cells, pair_states(wanted)))
        seen_s = effective_conductance_s(g_s, r_segment_ohm, r_segment_ohm)
        found.append(((seen_s[:, 0::2] - seen_s[:, 1::2]) / span_s).astype(np.float32))
    return tuple(found)


def class_map(model: ReadModel, die: Die) -> Die:
    """Return the die as one knows it who has only its map of defects: all else is nominal."""
    parameters = model.parameters
    nominal = [
        replace(Cells.nominal(parameters, cells.state, cells.r_short_ohm), defect=cells.defect) for cells in die.arrays
    ]
    return replace(die, arrays=tuple(nominal))


def _written(cells: Cells, state: np.ndarray | int) -> Cells:
    """Return cells after a write that nothing disturbs: stuck ones keep their state."""
    return cells.with_state(np.where(cells.switches, state, cells.state))


def _conductance_s(model: ReadModel, cells: Cells) -> np.ndarray:
    if model.architecture is Architecture.ONE_T_ONE_R:
        return model.conductance_s(cells)
    return cells.conductance_s(np.full(cells.state.shape, model.array.read.v_read_v))[0]


def _span_s(model: ReadModel) -> float:
    """Return G_P - G_AP of a nominal cell, the unit of weights."""
    parameters = model.parameters
    nominal = Cells.nominal(parameters, np.array([[0, 1]]), model.array.r_short_ohm)
    ap_s, p_s = _conductance_s(model, nominal)[0]
    return float(p_s - ap_s)

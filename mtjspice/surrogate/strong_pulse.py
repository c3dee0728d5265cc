"""Pulses that are meant to switch a junction for sure, and digital reads: how often either fails, cell by cell."""

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.surrogate.behind_select import junction_v, select_source_v
from mtjspice.surrogate.ideal_array import IdealArray
from mtjspice.surrogate.model import ArrayModel


def failure_probability(model: ArrayModel, cells: Cells, t_s: float) -> np.ndarray:
    """Return the probability that a pulse at the level of |x| = 1 leaves a cell in AP (0) or P (1): (2, columns, rows).

    Raises:
        InputError: a pulse longer than the switching surface.
    """
    longest_s = min(surface.widths_s[-1] for surface in model.surfaces.values())
    if t_s > longest_s:
        raise InputError("the strong pulse is too long", given=f"{t_s:g} s", allowed=f"up to {longest_s:g} s")
    found = np.empty((2, *cells.state.T.shape), np.float32)
    for state, direction in enumerate((Direction.AP_TO_P, Direction.P_TO_AP)):
        alike = cells.with_state(np.full(cells.state.shape, state))
        nominal = Cells.nominal(model.parameters, alike.state, cells.r_short_ohm)
        v = junction_v(select_source_v(model, direction, np.ones(cells.state.shape)), model.select_ohm, alike)
        ratio = alike.conductance_s(v)[0] / nominal.conductance_s(v)[0]
        surface = model.surfaces[direction]
        found[state] = 1 - surface.at(np.minimum(v * ratio, surface.voltages_v[-1]), t_s, model.select_ohm * ratio).T
    found[:, ~cells.switches.T] = 1.0
    return found


def strong_pulse_j(model: ArrayModel, t_s: float) -> tuple[float, float]:
    """Return what such a pulse takes in a nominal cell, in AP and in P, while it does not switch."""
    found = []
    for state, direction in enumerate((Direction.AP_TO_P, Direction.P_TO_AP)):
        cell = Cells.nominal(model.parameters, np.array([[state]]), model.array.r_short_ohm)
        source_v = select_source_v(model, direction, np.ones((1, 1)))
        v = junction_v(source_v, model.select_ohm, cell)
        found.append(float((source_v * v * cell.conductance_s(v)[0] * t_s).item()))
    return found[0], found[1]


def misread(array: IdealArray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a digital read, against the reference, says P whatever the state, and where AP: (columns, rows)."""
    return array.weight_of[0] > 0, array.weight_of[1] < 0

"""A junction behind a series resistance: between voltage drive (0 ohm) and current drive (infinitely many).

A select transistor, wires and other junctions stand between a cell and its drivers. Seen from the junction they are a
Thevenin source. It is described by its resistance r and by the voltage V over the junction in its initial state: the
initial current is then the same for every r. While m turns

    i = (V_th - v)/r = v G(v, c),    V_th = V + r V G(V, c_initial).
"""

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s, voltage_at_current


def series_current_a(
    parameters: MacrospinParameters, direction: Direction, v_v: float, r_series_ohm: float, mz: np.ndarray
) -> np.ndarray:
    """Return the magnitude of the current at each m_z = m . p, any shape.

    Args:
        parameters: the junction.
        direction: sets the initial state.
        v_v: magnitude of the voltage over the junction in its initial state.
        r_series_ohm: 0 or more; infinity is current drive.
        mz: of the free layer.
    """
    share = 1 - parameters.r_p_ohm / (r_series_ohm + parameters.r_p_ohm)

    def weighted_s(v: np.ndarray, c: np.ndarray) -> np.ndarray:
        return (1 - share) / parameters.r_p_ohm + share * conductance_s(parameters, v, c)

    # V_th = v + r i, divided by r + R_P, is v weighted_s(v, m_z): the same for all m_z.
    start_v = np.full_like(mz, v_v)
    conserved_a = start_v * weighted_s(start_v, np.full_like(mz, parameters.initial_projection(direction)))
    v = voltage_at_current(conserved_a, lambda v: 1 / weighted_s(v, mz), start_v)
    return v * conductance_s(parameters, v, mz)

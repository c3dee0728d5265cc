"""Reads and updates of arrays of ternary synapses, as schedules of their lines and gates.

A row has two lines: line 2i drives the free sides of row i's junctions M1, line 2i + 1 those of M2. A column's gate
connects all its junctions to their lines. W = m1 - m2, with m = 1 parallel and 0 antiparallel.
"""

import numpy as np

from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError
from mtjspice.schedule import Phase, Schedule

LineLevels = dict[Direction, float]
"""What a line puts out to switch its junctions, V: above the common mode for AP->P, below it for P->AP."""


def ternary_read_schedule(x: np.ndarray, columns: int, array: ArrayCard) -> Schedule:
    """Return the read of inputs `x`, (rows,) of -1, 0 and 1: M1's line at x v_read, M2's at -x v_read, all gates on.

    Raises:
        InputError: an input that is none of the three, or not a vector.
    """
    x = np.asarray(x, dtype=float)
    if x.ndim != 1 or x.size == 0 or not np.isin(x, (-1, 0, 1)).all():
        raise InputError("inputs of ternary synapses must be a vector of -1, 0 and 1", given=np.array2string(x)[:80])
    line_v = _lines(x, -x) * array.read.v_read_v
    t_read_s, edge_s = array.read.t_read_s, array.timing.edge_s
    phase = _phase("read", edge_s, t_read_s, line_v, np.full(columns, t_read_s))
    return Schedule(Architecture.ONE_T_ONE_R, edge_s, array.timing.gap_s, (phase,))


def ternary_update_schedule(width_s: np.ndarray, levels_v: LineLevels, array: ArrayCard) -> Schedule:
    """Return the update of all rows, one after another: in each the columns to be raised, then those to be lowered.

    To raise a weight M1 is driven AP->P and M2 P->AP, both as long as the column's gate is on; to lower it the other
    way round. The other rows' lines stay at the common mode. A phase without columns is left out.

    Args:
        width_s: (rows, columns) signed widths, s: above 0 raises the weight, below lowers it, 0 leaves it alone.
        levels_v: of the lines.

    Raises:
        InputError: no matrix, a width that is not finite or no longer than an edge, or nothing to do.
    """
    width_s = np.asarray(width_s, dtype=float)
    if width_s.ndim != 2 or not np.isfinite(width_s).all() or not width_s.any():
        raise InputError(
            "an update needs a matrix of widths, not all of them 0", given=f"an array of shape {width_s.shape}"
        )
    timing = array.timing
    shortest_s = float(np.abs(width_s[width_s != 0]).min())
    if shortest_s <= timing.edge_s:
        raise InputError(
            "a pulse is no longer than its edges", given=f"{shortest_s:g} s", allowed=f"above {timing.edge_s:g} s"
        )
    set_v, reset_v = levels_v[Direction.AP_TO_P], levels_v[Direction.P_TO_AP]
    start_s = timing.edge_s
    phases = []
    for row, widths_s in enumerate(width_s):
        chosen = np.arange(len(width_s)) == row
        for name, sign, m1_v, m2_v in (("raise", 1, set_v, reset_v), ("lower", -1, reset_v, set_v)):
            on_s = np.maximum(sign * widths_s, 0.0)
            if not on_s.any():
                continue
            line_v = _lines(np.where(chosen, m1_v, 0.0), np.where(chosen, m2_v, 0.0))
            phase = _phase(f"{name}_row{row + 1}", start_s, float(on_s.max()), line_v, on_s)
            phases.append(phase)
            start_s = phase.end_s + timing.gap_s
    return Schedule(Architecture.ONE_T_ONE_R, timing.edge_s, timing.gap_s, tuple(phases))


def _phase(name: str, start_s: float, duration_s: float, line_v: np.ndarray, on_s: np.ndarray) -> Phase:
    return Phase(name, start_s, duration_s, line_v, np.ones(len(line_v), dtype=bool), on_s)


def _lines(m1: np.ndarray, m2: np.ndarray) -> np.ndarray:
    return np.stack((m1, m2), axis=1).ravel() + 0.0  # not -0

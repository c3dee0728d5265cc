"""Wrong surrogates, which the comparison must tell from SPICE: it could not fail otherwise.

Each leaves out one thing that the surrogate takes from the circuit.
"""

from dataclasses import replace

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Solution
from mtjspice.schedule import Phase
from mtjspice.surrogate.exact_write import ExactWriter


class CurrentDriven(ExactWriter):
    """Junctions keep their initial current while they turn: the current surface instead of the voltage surface."""

    def solution(self, cells: Cells, phase: Phase, now_s: float) -> Solution:
        found = super().solution(cells, phase, now_s)
        return replace(found, r_series_ohm=np.full(cells.state.shape, np.inf))


class AverageSneak(ExactWriter):
    """Unselected 1R cells see the average case of section 4.4: a third of the row's write voltage, or of the mean's."""

    def solution(self, cells: Cells, phase: Phase, now_s: float) -> Solution:
        found = super().solution(cells, phase, now_s)
        column_on = phase.column_on_s > now_s
        selected = phase.row_on[:, np.newaxis] & column_on
        driven = phase.row_v[phase.row_v != 0]
        mean_v = float(driven.mean()) if driven.size else 0.0
        level_v = np.where(phase.row_on, phase.row_v, mean_v)[:, np.newaxis]
        both_float = ~phase.row_on[:, np.newaxis] & ~column_on
        v = np.where(selected, found.v_junction_v, np.where(both_float, -level_v / 3, level_v / 3))
        conductance, _ = cells.conductance_s(v)
        return replace(found, v_junction_v=v, i_cell_a=np.where(selected, found.i_cell_a, v * conductance))


class FrozenNetwork(ExactWriter):
    """The network as it is when a phase starts: columns that have switched off see nothing, the others no change."""

    _start: Solution

    def solution(self, cells: Cells, phase: Phase, now_s: float) -> Solution:
        if now_s == 0:
            self._start = super().solution(cells, phase, 0.0)
        ended = (phase.column_on_s > 0) & (phase.column_on_s <= now_s)
        still = np.where(ended, 0.0, 1.0)
        found = self._start
        return replace(found, v_junction_v=found.v_junction_v * still, i_cell_a=found.i_cell_a * still)

"""Weights on a die, against the nodal solution of its arrays: W_eff = a W + b without wires, and wires exactly.

Junctions are made independent of voltage here, as the surrogate takes them in a read, so that only rounding is left.
"""

from dataclasses import replace

import numpy as np
import pytest

from mtjspice.cards.die_statistics import Rates, load_die_statistics
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.die_drawing import draw_die
from mtjspice.crossbar.dies import Die
from mtjspice.crossbar.network import Network, Operation
from mtjspice.surrogate.die_weights import die_parts, wired_weights
from mtjspice.surrogate.read_model import ReadModel

SHAPES = ((7, 8), (4, 10))
LINEAR_V = 1e6
"""Halves the TMR: at 0.1 V it has changed by 1e-14."""


def ohmic(model: ReadModel, seed: int) -> Die:
    """Draw a die with defects in a third of its cells, resistances that vary by half, and no bias dependence."""
    rates = Rates(short=0.1, open=0.1, stuck_p=0.1, stuck_ap=0.1)
    changes = {"rates": rates, "rate_cv": 0.0, "r_p_percent": 50.0, "tmr_percent": 30.0}
    statistics = load_die_statistics("borders2024").model_copy(update=changes)
    rng = np.random.default_rng(seed)
    die = draw_die(statistics, model.parameters, model.array.r_short_ohm, SHAPES, rng, "ohmic")
    assert all(die.defects.values())
    return replace(die, arrays=tuple(replace(cells, v_h_v=LINEAR_V) for cells in die.arrays))


def with_wires(model: ReadModel, r_segment_ohm: float) -> ReadModel:
    wires = model.array.wires.model_copy(update={"r_segment_ohm": r_segment_ohm})
    return replace(model, array=model.array.model_copy(update={"wires": wires}))


def written(cells: Cells, weights: np.ndarray) -> Cells:
    """Write +1 as P, AP and -1 as AP, P, cell by cell, where the cell can be written."""
    state = cells.state.copy()
    for (i, j), weight in np.ndenumerate(weights):
        for column, wanted in ((2 * j, weight == 1), (2 * j + 1, weight == -1)):
            if cells.switches[i, column]:
                state[i, column] = wanted
    return cells.with_state(state)


def nodal_weights(model: ReadModel, cells: Cells, weights: np.ndarray) -> np.ndarray:
    """Return what each row driven alone puts into the pairs of columns, in units of a nominal weight."""
    rows, columns = cells.state.shape
    network = Network(model.architecture, model.array, cells.state.shape, model.table)
    v_v = model.array.read.v_read_v
    found = []
    for row in range(rows):
        driven = Operation(v_v * (np.arange(rows) == row), np.ones(rows, bool), np.ones(columns, bool))
        i_a = network.solve(written(cells, weights), driven).i_column_a
        found.append((i_a[0::2] - i_a[1::2]) / v_v)
    g_p, g_ap = model.cell_conductances_s
    return np.array(found) / (g_p - g_ap)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("r_segment_ohm", [0.0, 2.0, 20.0])
def test_a_read_of_a_die_is_its_network(select1500: ReadModel, r_segment_ohm: float, seed: int) -> None:
    model, die, rng = with_wires(select1500, r_segment_ohm), ohmic(select1500, seed), np.random.default_rng(seed)
    weights = tuple(rng.choice((-1, 1), (rows, columns // 2)) for rows, columns in die.shapes)
    seen, parts = wired_weights(model, die, weights), die_parts(model, die)
    for n, cells in enumerate(die.arrays):
        exact = nodal_weights(model, cells, weights[n])
        # Newton ends below 1e-10 V of 0.1 V, nodes leak 0.1 pS of 70 uS, and weights are single precision.
        np.testing.assert_allclose(seen[n], exact, rtol=0, atol=2e-6)
        ideal = parts[n].a * weights[n] + parts[n].b
        away = np.abs(ideal - exact).max()
        assert away < 2e-6 if r_segment_ohm == 0 else away > 5e-3

"""Updates of ternary synapses on the surrogate: which junction each of the cases can switch, and how likely."""

from dataclasses import replace

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.ternary_lines import solve_ternary
from mtjspice.errors import ModelError
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.ternary_cell import expected_update, line_levels
from mtjspice.ternary_schedule import ternary_update_schedule

WIDTH_S = 2.5e-9


def without_wires(model: ArrayModel) -> ArrayModel:
    array = model.array
    return replace(model, array=array.model_copy(update={"wires": array.wires.model_copy(update={"r_segment_ohm": 0})}))


@pytest.mark.parametrize(
    ("pair", "sign", "switches"),
    [
        # To raise W, M1 goes to P and M2 to AP; one that is there already stays, so W = 1 is the end.
        ((1, 0), 1, (False, False)),
        ((1, 1), 1, (False, True)),
        ((0, 0), 1, (True, False)),
        ((0, 1), 1, (True, True)),
        ((1, 0), -1, (True, True)),
        ((1, 1), -1, (True, False)),
        ((0, 0), -1, (False, True)),
        ((0, 1), -1, (False, False)),
    ],
)
def test_which_junctions_an_update_can_switch(
    model: ArrayModel, pair: tuple[int, int], sign: int, switches: tuple[bool, bool]
) -> None:
    bare = without_wires(model)
    cells = Cells.nominal(model.parameters, np.array(pair)[:, np.newaxis], 250.0)
    schedule = ternary_update_schedule(np.array([[sign * WIDTH_S]]), line_levels(model, 0.0), bare.array)
    found = expected_update(bare, schedule, cells)
    assert ((found.probability[:, 0] > 0) == switches).all()
    # At I0 a pulse of t0 + t1 switches with 5 %, by calibration behind a 1T1R cell's switch; behind this one's, which
    # has another resistance, and on a table's grid, with nearly that.
    np.testing.assert_allclose(found.probability[:, 0][np.array(switches)], 0.05, rtol=0.05)
    # An update of 2.5 ns takes the junctions' some 350 fJ, more or less by their states, and gates.
    assert 0.2e-12 < found.energy_j < 0.8e-12


@pytest.mark.parametrize("level", [0.0, 0.25])
def test_lines_make_up_for_their_switches(model: ArrayModel, level: float) -> None:
    bare = without_wires(model)
    levels = line_levels(model, level)
    for direction in Direction:
        state = np.full((2, 1), int(direction is Direction.P_TO_AP))
        line_v = np.array([levels[direction], 0.0])
        cells = Cells.nominal(model.parameters, state, 250.0)
        found = solve_ternary(bare.array, bare.table, cells, line_v, np.ones(1, dtype=bool))
        wanted = model.drive.coefficients[direction]
        assert abs(found.i_junction_a[0, 0]) == pytest.approx(float(wanted.current_a(np.array(level))), rel=1e-6)
        assert np.sign(found.v_junction_v[0, 0]) == direction.current_sign


def test_other_rows_are_left_alone(model: ArrayModel) -> None:
    rng = np.random.default_rng(2)
    cells = Cells.nominal(model.parameters, rng.integers(0, 2, (6, 3)), 250.0)
    width_s = np.zeros((3, 3))
    width_s[1] = WIDTH_S, -WIDTH_S, 0.0
    found = expected_update(model, ternary_update_schedule(width_s, line_levels(model, 0.0), model.array), cells)
    driven = np.zeros((6, 3), dtype=bool)
    driven[2:4, :2] = True
    assert ((found.v_junction_v > 0) == driven).all()
    assert (found.probability[~driven] == 0).all()


def test_a_level_beyond_the_switches_is_refused(model: ArrayModel) -> None:
    """A line below the bulk: the array card's common mode is too low for so strong a P->AP pulse."""
    with pytest.raises(ModelError, match="a switch's mean voltage"):
        line_levels(model, 1.0)

"""Currents of ternary synapses through ideal switches and wires, against Kirchhoff's laws written out."""

import numpy as np
import pytest

from mtjspice.cards.array import ArrayCard, SwitchKind, load_array
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.crossbar.ternary_lines import solve_ternary
from mtjspice.errors import ModelError
from mtjspice.junction.parameters import MacrospinParameters

R_ON_OHM = 200.0


def array_of(r_segment_ohm: float) -> ArrayCard:
    card = load_array("array45")
    return card.model_copy(
        update={
            "switches": card.switches.model_copy(update={"kind": SwitchKind.IDEAL}),
            "wires": card.wires.model_copy(update={"r_segment_ohm": r_segment_ohm}),
        }
    )


def table(array: ArrayCard) -> SwitchTable:
    return SwitchTable.ideal(R_ON_OHM * array.switches.select_width_m)


def test_the_summed_current_is_the_gated_xnor_of_input_and_weight(mondal_parameters: MacrospinParameters) -> None:
    array = array_of(0.0)
    # W = 1, -1, 0, 0.
    cells = Cells.nominal(mondal_parameters, np.array([[1, 0, 1, 0], [0, 1, 1, 0]]), 250.0)
    on = np.ones(4, dtype=bool)
    currents = [solve_ternary(array, table(array), cells, x * np.array([0.1, -0.1]), on).i_column_a for x in (1, 0, -1)]
    unit_a = currents[0][0]
    assert unit_a > 0
    # Rounding only: equal switches on both sides, and no wires.
    np.testing.assert_allclose(np.array(currents) / unit_a, np.outer((1, 0, -1), (1, -1, 0, 0)), atol=1e-9)


def test_wires_obey_kirchhoff(mondal_parameters: MacrospinParameters) -> None:
    array = array_of(25.0)
    rng = np.random.default_rng(1)
    rows, columns = 3, 4
    cells = Cells.nominal(mondal_parameters, rng.integers(0, 2, (2 * rows, columns)), 250.0)
    line_v = rng.uniform(-0.5, 0.5, 2 * rows)
    found = solve_ternary(array, table(array), cells, line_v, np.ones(columns, dtype=bool))
    # All nodes at once, with each junction's own conductance at the voltage that was found.
    g_junction, _ = cells.conductance_s(found.v_junction_v)
    g_cell, g_wire = 1 / (1 / g_junction + R_ON_OHM), 1 / 25.0
    line = np.arange(2 * rows * columns).reshape(2 * rows, columns)
    column = line.size + np.arange(rows * columns).reshape(rows, columns)
    nodes = line.size + column.size
    matrix, current = np.zeros((nodes, nodes)), np.zeros(nodes)

    def join(a: int, b: int | None, g: float, v_b: float = 0.0) -> None:
        matrix[a, a] += g
        if b is None:
            current[a] += g * v_b
        else:
            matrix[b, b] += g
            matrix[a, b] -= g
            matrix[b, a] -= g

    for i in range(2 * rows):
        for j in range(columns):
            join(line[i, j], None if j == 0 else line[i, j - 1], g_wire, line_v[i])
            join(line[i, j], column[i // 2, j], g_cell[i, j])
    for i in range(rows):
        for j in range(columns):
            join(column[i, j], None if i == rows - 1 else column[i + 1, j], g_wire)
    volts = np.linalg.solve(matrix, current)
    np.testing.assert_allclose(found.i_column_a, volts[column[-1]] * g_wire, rtol=1e-6)


def test_columns_that_are_off_carry_nothing(mondal_parameters: MacrospinParameters) -> None:
    array = array_of(2.0)
    cells = Cells.nominal(mondal_parameters, np.ones((2, 2)), 250.0)
    found = solve_ternary(array, table(array), cells, np.array([0.5, -0.7]), np.array([True, False]))
    assert (found.i_junction_a[:, 1] == 0).all()
    assert (found.v_junction_v[:, 1] == 0).all()
    # Below the free side the junction sees a negative voltage, which drives it to parallel.
    assert found.v_junction_v[0, 0] < 0 < found.v_junction_v[1, 0]


def test_wires_that_take_most_of_the_voltage_are_refused(mondal_parameters: MacrospinParameters) -> None:
    array = array_of(1e4)
    cells = Cells.nominal(mondal_parameters, np.ones((16, 16)), 250.0)
    with pytest.raises(ModelError, match="does not settle"):
        solve_ternary(array, table(array), cells, np.full(16, 0.5), np.ones(16, dtype=bool))

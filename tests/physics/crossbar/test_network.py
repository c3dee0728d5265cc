"""The exact network against circuit theory: Kirchhoff, an independent dense solution, Thevenin, reciprocity."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mtjspice.cards.array import Architecture, ArrayCard, load_array
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import ModelError
from mtjspice.junction.parameters import MacrospinParameters

R_ON_OHM = 120.0
ROWS, COLUMNS = 4, 3
DRIVEN = Operation(np.array([0.9, -0.6, 0.0, 0.4]), np.ones(ROWS, bool), np.array([True, False, True]))
FLOATING = replace(DRIVEN, row_on=np.array([True, False, False, True]))


def card(r_segment_ohm: float = 2.0) -> ArrayCard:
    array = load_array("array45")
    return array.model_copy(
        update={
            "wires": array.wires.model_copy(update={"r_segment_ohm": r_segment_ohm}),
            "switches": array.switches.model_copy(update={"kind": "ideal", "r_on_ohm": R_ON_OHM}),
        }
    )


def ideal(array: ArrayCard) -> SwitchTable:
    return SwitchTable.ideal(array.switches.r_on_ohm * array.switches.select_width_m)


def transistor() -> SwitchTable:
    """Conductance falls linearly with the mean voltage, so that the table's interpolation is exact and smooth."""
    mean = np.linspace(-3, 3, 61)
    g = 5e3 * (1 - 0.2 * mean)[:, None] * np.ones(2)
    return SwitchTable(mean, np.array([-5.0, 5.0]), g, 0.0, 0.0, {})


def junctions(parameters: MacrospinParameters, seed: int = 1, shape: tuple[int, int] = (ROWS, COLUMNS)) -> Cells:
    rng = np.random.default_rng(seed)
    return Cells.nominal(parameters, rng.integers(0, 2, shape), 250.0).varied(8, rng)


def resistors(parameters: MacrospinParameters, shape: tuple[int, int] = (ROWS, COLUMNS)) -> Cells:
    cells = junctions(parameters, shape=shape)
    return replace(cells, state=np.ones(shape, np.uint8)).with_defects(shorts=[(0, 1)], opens=[(2, 2)])


@dataclass
class Circuit:
    """Resistors between named nodes and voltages of some of them, solved densely: shares no code with the product."""

    resistors: list[tuple[str, str, float]]
    fixed_v: dict[str, float]

    def voltages(self) -> dict[str, float]:
        names = sorted({name for a, b, _ in self.resistors for name in (a, b)} | set(self.fixed_v))
        index = {name: k for k, name in enumerate(names)}
        laplacian = np.zeros((len(names), len(names)))
        for a, b, r in self.resistors:
            k, l = index[a], index[b]  # noqa: E741
            laplacian[[k, l, k, l], [k, l, l, k]] += np.array([1, 1, -1, -1]) / r
        known = np.array([name in self.fixed_v for name in names])
        v = np.array([self.fixed_v.get(name, 0.0) for name in names])
        v[~known] = np.linalg.solve(laplacian[np.ix_(~known, ~known)], -laplacian[np.ix_(~known, known)] @ v[known])
        return dict(zip(names, v.tolist(), strict=True))


def dense_solution(
    architecture: Architecture, array: ArrayCard, cells: Cells, operation: Operation
) -> tuple[np.ndarray, np.ndarray]:
    """Return the junctions' voltages and currents, of resistor cells and ideal switches, as one circuit."""
    rows, columns = cells.state.shape
    switches, r_wire = array.switches, array.wires.r_segment_ohm
    g, _ = cells.conductance_s(np.zeros(cells.state.shape))
    one_r = architecture is Architecture.ONE_R
    found: list[tuple[str, str, float]] = []
    for i in range(rows):
        if one_r and operation.row_on[i]:
            width = switches.row_width_per_cell_m * columns
            found.append((f"driver{i}", f"row{i}", R_ON_OHM * switches.select_width_m / width))
    for j in range(columns):
        if one_r and operation.column_on[j]:
            width = switches.column_width_per_cell_m * rows
            found.append((f"column{j}", "ground", R_ON_OHM * switches.select_width_m / width))

    def row_node(i: int, j: int) -> str:
        return (f"row{i}" if one_r else f"driver{i}") if j < 0 or not r_wire else f"row{i},{j}"

    def column_node(i: int, j: int) -> str:
        return (f"column{j}" if one_r else "ground") if i == rows or not r_wire else f"column{i},{j}"

    for i in range(rows):
        for j in range(columns):
            if r_wire:
                found.append((row_node(i, j - 1), row_node(i, j), r_wire))
                found.append((column_node(i, j), column_node(i + 1, j), r_wire))
            if g[i, j] == 0 or not (one_r or operation.column_on[j]):
                continue
            found.append((row_node(i, j), column_node(i, j) if one_r else f"in{i},{j}", 1 / g[i, j]))
            if not one_r:
                found.append((f"in{i},{j}", column_node(i, j), R_ON_OHM))
    v = Circuit(found, {"ground": 0.0} | {f"driver{i}": x for i, x in enumerate(operation.row_v.tolist())}).voltages()
    v_junction = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            if one_r or operation.column_on[j]:
                below = column_node(i, j) if one_r or g[i, j] == 0 else f"in{i},{j}"
                v_junction[i, j] = v[row_node(i, j)] - v[below]
    return v_junction, g * v_junction


@pytest.mark.parametrize("operation", [DRIVEN, FLOATING], ids=["driven", "floating"])
@pytest.mark.parametrize("r_segment_ohm", [0.0, 2.0, 300.0])
@pytest.mark.parametrize("architecture", Architecture)
def test_resistor_cells_agree_with_an_independent_dense_solution(
    mondal_parameters: MacrospinParameters, architecture: Architecture, r_segment_ohm: float, operation: Operation
) -> None:
    array = card(r_segment_ohm)
    cells = resistors(mondal_parameters)
    solution = Network(architecture, array, cells.state.shape, ideal(array)).solve(cells, operation)
    v, i = dense_solution(architecture, array, cells, operation)
    # The product's nodes leak 0.1 pS each, here at most 31 of them at 0.9 V, through some 1 kohm: 3e-9 V.
    np.testing.assert_allclose(solution.v_junction_v, v, rtol=0, atol=1e-8)
    np.testing.assert_allclose(solution.i_cell_a, i, rtol=0, atol=1e-8 / 250)
    np.testing.assert_allclose(solution.i_row_a, i.sum(axis=1), rtol=0, atol=1e-10)
    np.testing.assert_allclose(solution.i_column_a, i.sum(axis=0), rtol=0, atol=1e-10)


@pytest.mark.parametrize("operation", [DRIVEN, FLOATING], ids=["driven", "floating"])
@pytest.mark.parametrize("r_segment_ohm", [0.0, 2.0])
@pytest.mark.parametrize("architecture", Architecture)
def test_currents_are_the_cells_own_and_none_is_lost(
    mondal_parameters: MacrospinParameters, architecture: Architecture, r_segment_ohm: float, operation: Operation
) -> None:
    """With junctions and transistors that depend on their voltages: Ohm at each cell, Kirchhoff at each line."""
    array = card(r_segment_ohm)
    cells = junctions(mondal_parameters)
    solution = Network(architecture, array, cells.state.shape, transistor()).solve(cells, operation)
    g, _ = cells.conductance_s(solution.v_junction_v)
    np.testing.assert_allclose(solution.i_cell_a, g * solution.v_junction_v, rtol=0, atol=1e-14)
    # Newton ends with a step below 1e-10 V; the one after it, which is not taken, would be its square.
    assert solution.kcl_residual_a < 1e-14
    # 0.1 pS a node leaks 3e-12 A in all.
    np.testing.assert_allclose(solution.i_row_a, solution.i_cell_a.sum(axis=1), rtol=0, atol=5e-12)
    np.testing.assert_allclose(solution.i_column_a, solution.i_cell_a.sum(axis=0), rtol=0, atol=5e-12)
    assert solution.i_row_a.sum() == pytest.approx(solution.i_column_a.sum(), abs=5e-12)
    if architecture is Architecture.ONE_R:
        assert (solution.i_row_a[~operation.row_on] == 0).all()
    assert (solution.i_column_a[~operation.column_on] == 0).all()


def test_a_large_array_takes_the_sparse_way_to_the_same_solution(mondal_parameters: MacrospinParameters) -> None:
    """16 x 16 with wires has 544 nodes, beyond the dense solver's limit."""
    array, shape = card(), (16, 16)
    cells = resistors(mondal_parameters, shape)
    operation = Operation(np.linspace(-0.9, 0.9, 16), np.arange(16) % 3 > 0, np.arange(16) % 2 > 0)
    network = Network(Architecture.ONE_R, array, shape, ideal(array))
    assert network.unknowns > 400
    solution = network.solve(cells, operation, thevenin=True)
    v, _ = dense_solution(Architecture.ONE_R, array, cells, operation)
    # 544 nodes leak 5e-11 A through some 100 ohm.
    np.testing.assert_allclose(solution.v_junction_v, v, rtol=0, atol=1e-7)
    assert solution.r_series_ohm is not None
    assert (solution.r_series_ohm > 0).all()


@pytest.mark.parametrize("operation", [DRIVEN, FLOATING], ids=["driven", "floating"])
@pytest.mark.parametrize("r_segment_ohm", [0.0, 20.0])
@pytest.mark.parametrize("architecture", Architecture)
def test_the_thevenin_resistance_is_what_a_change_of_the_cells_current_meets(
    mondal_parameters: MacrospinParameters, architecture: Architecture, r_segment_ohm: float, operation: Operation
) -> None:
    """Each junction's resistance is nudged up and down: its voltage moves by -r times what its current moves by."""
    array = card(r_segment_ohm)
    cells = junctions(mondal_parameters)
    network = Network(architecture, array, cells.state.shape, transistor())
    r_series = network.solve(cells, operation, thevenin=True).r_series_ohm
    assert r_series is not None
    for place in np.ndindex(cells.state.shape):
        if architecture is Architecture.ONE_T_ONE_R and not operation.column_on[place[1]]:
            assert np.isinf(r_series[place])
            continue
        moved = []
        for factor in (0.99, 1.01):
            r_p = cells.r_p_ohm.copy()
            r_p[place] *= factor
            solution = network.solve(replace(cells, r_p_ohm=r_p), operation)
            moved.append((solution.v_junction_v[place], solution.i_cell_a[place]))
        (v_low, i_low), (v_high, i_high) = moved
        if abs(i_high - i_low) < 1e-9:
            continue  # a cell with hardly a voltage: what it does moves nothing
        # Newton's 1e-10 V over changes of some 1e-5 V, and the network's curvature over 1 % of a current.
        assert r_series[place] == pytest.approx(-(v_high - v_low) / (i_high - i_low), rel=1e-4)


def test_voltage_drive_without_anything_in_series(mondal_parameters: MacrospinParameters) -> None:
    """1T1R without wires: every junction sees its own select transistor, and no other cell."""
    array = card(0.0)
    cells = junctions(mondal_parameters)
    solution = Network(Architecture.ONE_T_ONE_R, array, cells.state.shape, ideal(array)).solve(
        cells, DRIVEN, thevenin=True
    )
    assert solution.r_series_ohm is not None
    np.testing.assert_allclose(solution.r_series_ohm[:, DRIVEN.column_on], R_ON_OHM, rtol=1e-12)
    assert np.isinf(solution.r_series_ohm[:, ~DRIVEN.column_on]).all()
    assert (solution.v_junction_v[:, ~DRIVEN.column_on] == 0).all()
    # By itself: V = v + R_on v G(v).
    on = np.ix_(np.arange(ROWS), DRIVEN.column_on)
    v = solution.v_junction_v
    g, _ = cells.conductance_s(v)
    np.testing.assert_allclose((v * (1 + R_ON_OHM * g))[on], np.outer(DRIVEN.row_v, [1, 1]), rtol=0, atol=1e-9)


@pytest.mark.parametrize("column_on", [True, False])
@pytest.mark.parametrize("r_segment_ohm", [0.0, 2.0])
@pytest.mark.parametrize("architecture", Architecture)
def test_lines_whose_cells_are_all_open_rest_at_the_common_mode(
    mondal_parameters: MacrospinParameters, architecture: Architecture, r_segment_ohm: float, column_on: bool
) -> None:
    array = card(r_segment_ohm)
    opens = [(i, 1) for i in range(ROWS)] + [(1, j) for j in range(COLUMNS)]
    cells = junctions(mondal_parameters).with_defects(opens=opens)
    operation = replace(FLOATING, column_on=np.array([True, column_on, True]))
    solution = Network(architecture, array, cells.state.shape, ideal(array)).solve(cells, operation, thevenin=True)
    assert np.isfinite(solution.v_junction_v).all()
    assert (solution.i_cell_a[:, 1] == 0).all()
    assert (solution.i_cell_a[1] == 0).all()
    assert abs(solution.i_column_a[1]) < 1e-12
    if architecture is Architecture.ONE_R:
        # Row 1 floats and is open: nothing but its leak holds it, and column 1 likewise.
        assert abs(solution.v_junction_v[1, 1]) < 1e-9


@pytest.mark.parametrize("r_segment_ohm", [0.0, 20.0])
def test_rows_and_columns_of_a_one_r_array_may_change_places(
    mondal_parameters: MacrospinParameters, r_segment_ohm: float
) -> None:
    """Seen from the driven rows, whose potential becomes the reference: columns at -V drive, rows collect.

    A row's wires begin where its driver is and a column's end at its amplifier, so both orders turn round. Line
    switches are equally wide a cell here.
    """
    array = card(r_segment_ohm)
    switches = array.switches.model_copy(update={"row_width_per_cell_m": array.switches.column_width_per_cell_m})
    array = array.model_copy(update={"switches": switches})
    level = 0.8
    row_on, column_on = np.array([True, False, True, False]), np.array([True, False, False])
    cells = junctions(mondal_parameters)
    here = Network(Architecture.ONE_R, array, (ROWS, COLUMNS), ideal(array)).solve(
        cells, Operation(level * row_on, row_on, column_on), thevenin=True
    )

    def turned(values: np.ndarray) -> np.ndarray:
        return values[::-1, ::-1].T

    mirrored = replace(cells, **{name: turned(getattr(cells, name)) for name in ("state", "r_p_ohm", "tmr0", "defect")})
    operation = Operation(-level * column_on[::-1], column_on[::-1], row_on[::-1])
    there = Network(Architecture.ONE_R, array, (COLUMNS, ROWS), ideal(array)).solve(mirrored, operation, thevenin=True)
    # A leak to the common mode tells the two apart: 0.1 pS a node, as above.
    np.testing.assert_allclose(turned(here.v_junction_v), -there.v_junction_v, rtol=0, atol=1e-8)
    np.testing.assert_allclose(here.i_row_a[::-1], -there.i_column_a, rtol=0, atol=1e-10)
    assert here.r_series_ohm is not None
    assert there.r_series_ohm is not None
    np.testing.assert_allclose(turned(here.r_series_ohm), there.r_series_ohm, rtol=1e-6)


def test_half_the_lines_selected_leaves_a_third_of_the_voltage(mondal_parameters: MacrospinParameters) -> None:
    """Equal P cells, half of rows and columns selected, the rest floating: unselected cells see V/3 (section 4.4)."""
    n = 8
    array = card(0.0)
    array = array.model_copy(update={"switches": array.switches.model_copy(update={"r_on_ohm": 1e-3})})
    half = np.arange(n) < n // 2
    cells = Cells.nominal(mondal_parameters, np.ones((n, n)), 250.0)
    solution = Network(Architecture.ONE_R, array, (n, n), ideal(array)).solve(cells, Operation(0.9 * half, half, half))
    v = solution.v_junction_v
    assert v[:4, :4] == pytest.approx(0.9, abs=1e-5)  # milliohms in series
    for unselected in (v[:4, 4:], -v[4:, 4:], v[4:, :4]):
        assert unselected == pytest.approx(0.3, abs=1e-5)


@pytest.mark.parametrize("architecture", Architecture)
def test_a_switch_beyond_its_table_is_reported(
    mondal_parameters: MacrospinParameters, architecture: Architecture
) -> None:
    array = card()
    narrow = replace(transistor(), difference_v=np.array([-1e-3, 1e-3]))
    cells = junctions(mondal_parameters)
    network = Network(architecture, array, cells.state.shape, narrow)
    with pytest.raises(ModelError, match="lies outside its table"):
        network.solve(cells, DRIVEN)
    off = Operation(np.zeros(ROWS), DRIVEN.row_on, DRIVEN.column_on)
    assert not network.solve(cells, off).i_cell_a.any()

"""Floating lines against Kirchhoff's law, dense and independent solutions, the V/3 rule and symmetries."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import root

from mtjspice.crossbar import floating_kernels
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.floating_kernels import eliminate_rows, relax, settle
from mtjspice.crossbar.floating_lines import kernel_cells, line_voltages_v, linear_line_voltages_v
from mtjspice.errors import InputError, SimulationError
from mtjspice.junction.parameters import MacrospinParameters

SHORT_OHM = 0.1
SHAPES = [(1, 1), (1, 4), (5, 1), (2, 2), (7, 3), (9, 17), (40, 33)]


def conductances(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return linear cells in two states, with some opens and a short."""
    rng = np.random.default_rng(seed)
    g_s = np.where(rng.random(shape) < 0.5, 1 / 4880, 1 / 14900) * rng.normal(1, 0.1, shape)
    g_s[rng.random(shape) < 0.1] = 0.0
    g_s[rng.integers(shape[0]), rng.integers(shape[1])] = 1 / SHORT_OHM
    return g_s


def junctions(
    parameters: MacrospinParameters, shape: tuple[int, int], seed: int = 1, percent: float = 10.0, defects: bool = True
) -> Cells:
    rng = np.random.default_rng(seed)
    cells = Cells.nominal(parameters, rng.integers(0, 2, shape), SHORT_OHM).varied(percent, rng)
    if not defects or shape[0] < 2:
        return cells
    return cells.with_defects(opens=[(0, 0)], shorts=[(1, 0)], stuck=[(1, shape[1] - 1)] if shape[1] > 1 else [])


def lines(shape: tuple[int, int], seed: int, floating: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row levels and which lines float."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, shape[0]), rng.random(shape[0]) < floating, rng.random(shape[1]) < floating


def own_conductance_s(cells: Cells, v_v: np.ndarray) -> np.ndarray:
    """Return what each cell conducts at a voltage, written once more."""
    r_ohm = np.where(cells.state == 1, cells.r_p_ohm, cells.r_p_ohm * (1 + cells.tmr0 / (1 + (v_v / cells.v_h_v) ** 2)))
    r_ohm = np.where(cells.defect == 2, np.inf, r_ohm)
    return 1 / np.where(cells.defect == 3, cells.r_short_ohm, r_ohm)


def dense_voltages_v(
    g_s: np.ndarray, row_v: np.ndarray, row_floats: np.ndarray, column_floats: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the voltages by nodal analysis of all lines; those that nothing holds get the least-norm solution."""
    rows = len(row_v)
    laplacian = np.block([[np.diag(g_s.sum(axis=1)), -g_s], [-g_s.T, np.diag(g_s.sum(axis=0))]])
    free = np.concatenate((row_floats, column_floats))
    v_v = np.where(free, 0.0, np.concatenate((row_v, np.zeros(len(column_floats)))))
    v_v[free] = np.linalg.lstsq(laplacian[np.ix_(free, free)], -laplacian[np.ix_(free, ~free)] @ v_v[~free])[0]
    return v_v[:rows], v_v[rows:]


def worst_kcl(
    g_s: np.ndarray, row_v: np.ndarray, column_v: np.ndarray, row_floats: np.ndarray, column_floats: np.ndarray
) -> float:
    """Return the largest excess current of a floating line, over the line's conductance: a voltage."""
    current_a = g_s * (row_v[:, None] - column_v)
    off = [
        np.abs(current_a.sum(axis=1 - axis)[floats]) / np.maximum(g_s.sum(axis=1 - axis)[floats], 1e-30)
        for axis, floats in ((0, row_floats), (1, column_floats))
    ]
    return float(np.concatenate(off).max(initial=0.0))


def over_cells_v(solution: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return solution[0][:, None] - solution[1]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_linear_cells_as_in_dense_nodal_analysis(shape: tuple[int, int], seed: int) -> None:
    g_s = conductances(shape, seed)
    row_v, row_floats, column_floats = lines(shape, seed)
    found = linear_line_voltages_v(g_s, row_v, row_floats, column_floats, 1e-12)
    expected = dense_voltages_v(g_s, row_v, row_floats, column_floats)
    conducts = g_s > 0
    # What nothing holds has a voltage of its own, but none over its cells. The short, 10 S among cells of 1e-4 S, takes
    # five digits from the dense solution.
    assert np.abs((over_cells_v(found) - over_cells_v(expected))[conducts]).max(initial=0) < 1e-10
    assert worst_kcl(g_s, *found, row_floats, column_floats) < 1e-11
    assert np.array_equal(found[0][~row_floats], row_v[~row_floats])
    assert not found[1][~column_floats].any()


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 20), columns=st.integers(1, 20), floating=st.floats(0, 1))
def test_any_network_of_linear_cells(seed: int, rows: int, columns: int, floating: float) -> None:
    """Cells from 1 uS to 10 mS, a third of them open: parts that hang together by themselves, too."""
    rng = np.random.default_rng(seed)
    g_s = np.exp(rng.uniform(np.log(1e-6), np.log(1e-2), (rows, columns))) * (rng.random((rows, columns)) < 0.67)
    row_v, row_floats, column_floats = lines((rows, columns), seed, floating)
    found = linear_line_voltages_v(g_s, row_v, row_floats, column_floats, 1e-12)
    expected = dense_voltages_v(g_s, row_v, row_floats, column_floats)
    assert np.abs((over_cells_v(found) - over_cells_v(expected))[g_s > 0]).max(initial=0) < 1e-9
    assert worst_kcl(g_s, *found, row_floats, column_floats) < 1e-11


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (7, 3), (9, 17), (40, 33)])
@pytest.mark.parametrize("seed", range(3))
def test_kirchhoff_holds_with_bias(mondal_parameters: MacrospinParameters, shape: tuple[int, int], seed: int) -> None:
    cells = junctions(mondal_parameters, shape, seed)
    row_v, row_floats, column_floats = lines(shape, seed)
    found = line_voltages_v(cells, row_v, row_floats, column_floats, 1e-11)
    g_s = own_conductance_s(cells, over_cells_v(found))
    assert worst_kcl(g_s, *found, row_floats, column_floats) < 1e-11


@pytest.mark.parametrize("seed", range(10))
def test_an_independent_root_finder_agrees_with_bias(mondal_parameters: MacrospinParameters, seed: int) -> None:
    shape = (5, 4)
    cells = junctions(mondal_parameters, shape, seed, defects=False)
    row_v, row_floats, column_floats = lines(shape, seed)
    free = np.concatenate((row_floats, column_floats))
    held_v = np.where(free, 0.0, np.concatenate((1.5 * row_v, np.zeros(shape[1]))))

    def excess(unknown: np.ndarray) -> np.ndarray:
        v_v = held_v.copy()
        v_v[free] = unknown
        over = v_v[: shape[0], None] - v_v[shape[0] :]
        current_ma = 1e3 * own_conductance_s(cells, over) * over
        return np.concatenate((current_ma.sum(axis=1), -current_ma.sum(axis=0)))[free]

    expected = held_v.copy()
    if free.any():
        solved = root(excess, np.zeros(free.sum()), tol=1e-14)
        assert np.abs(solved.fun).max() < 1e-12
        expected[free] = solved.x
    found = line_voltages_v(cells, 1.5 * row_v, row_floats, column_floats, 1e-12)
    # The root finder's currents are off by 1e-12 mA at most; lines conduct 1e-4 S and more.
    assert np.concatenate(found) == pytest.approx(expected, abs=1e-10)


def newton_step(cells: Cells, row_v: np.ndarray, column_v: np.ndarray, floats: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines after one step of `settle`."""
    g_s, tmr = kernel_cells(cells)
    row_v, column_v, tangent_s = row_v.copy(), column_v.copy(), np.empty(g_s.shape)
    columns = eliminate_rows(g_s, tmr, cells.v_h_v, row_v, column_v, floats[0], tangent_s)
    relax(tangent_s, columns, row_v, column_v, floats[1], 1e-15)
    return row_v, column_v


@pytest.mark.parametrize("shape", [(3, 2), (6, 6), (30, 20)])
@pytest.mark.parametrize("seed", range(4))
def test_newton_converges_quadratically(
    mondal_parameters: MacrospinParameters, shape: tuple[int, int], seed: int
) -> None:
    """After a step of d the error is below d^2/v_h, as the kernels claim when they stop."""
    cells = junctions(mondal_parameters, shape, seed, defects=False)
    row_v, *floats = lines(shape, seed)
    exact = line_voltages_v(cells, row_v, *floats, 1e-13)
    rng = np.random.default_rng(seed)
    for off_v in (0.1, 0.01, 1e-3, 1e-4):
        start = [v + off_v * rng.uniform(-1, 1, v.shape) * free for v, free in zip(exact, floats, strict=True)]
        after = newton_step(cells, *start, floats)
        moved_v = max(np.abs(a - b).max() for a, b in zip(after, start, strict=True))
        error_v = max(np.abs(a - b).max() for a, b in zip(after, exact, strict=True))
        assert error_v <= moved_v**2 / cells.v_h_v + 1e-12


@pytest.mark.parametrize("tolerance_v", [1e-3, 1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("shape", [(3, 2), (6, 6), (100, 30)])
def test_the_tolerance_is_kept(
    mondal_parameters: MacrospinParameters, shape: tuple[int, int], tolerance_v: float
) -> None:
    for seed in range(10):
        cells = junctions(mondal_parameters, shape, seed)
        row_v, *floats = lines(shape, seed, floating=0.7)
        exact = line_voltages_v(cells, row_v, *floats, 1e-13)
        found = line_voltages_v(cells, row_v, *floats, tolerance_v)
        assert np.abs(over_cells_v(found) - over_cells_v(exact)).max() < tolerance_v


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (784, 100)])
def test_half_the_lines_selected_leave_a_third_on_the_others(
    mondal_parameters: MacrospinParameters, shape: tuple[int, int]
) -> None:
    """A third of V_P (paper, section 4.4): exactly so with equal cells, and on average with random states and bias."""
    cells = junctions(mondal_parameters, shape, percent=0.0, defects=False)
    level_v = 0.7
    row_floats, column_floats = np.arange(shape[0]) % 2 == 1, np.arange(shape[1]) % 2 == 1
    row_v = np.where(row_floats, 0.0, level_v)
    found = line_voltages_v(cells, row_v, row_floats, column_floats)
    v_v = over_cells_v(found) / level_v
    selected = v_v[~row_floats][:, ~column_floats]
    assert np.all(selected == 1)
    means = [
        v_v[~row_floats][:, column_floats].mean(),
        -v_v[row_floats][:, column_floats].mean(),
        v_v[row_floats][:, ~column_floats].mean(),
    ]
    # From the selected row through three cells in series to the selected column.
    assert sum(means) == pytest.approx(1, rel=1e-9)
    # Chance and bias: measured 0.331 to 0.335.
    assert means == pytest.approx([1 / 3] * 3, abs=0.005)
    equal = linear_line_voltages_v(np.full(shape, 1e-4), row_v, row_floats, column_floats, 1e-13)
    thirds = over_cells_v(equal) / level_v
    assert np.abs(thirds[~row_floats][:, column_floats] - 1 / 3).max() < 1e-12


def test_many_floating_rows_raise_the_voltage_of_half_selected_cells(mondal_parameters: MacrospinParameters) -> None:
    """With zero pixels' rows floating, cells of selected rows and other columns see about two thirds of V_P."""
    cells = junctions(mondal_parameters, (784, 100), percent=0.0, defects=False)
    row_floats, column_floats = np.arange(784) >= 150, np.arange(100) % 2 == 1
    found = line_voltages_v(cells, np.where(row_floats, 0, 0.7), row_floats, column_floats)
    half_selected = over_cells_v(found)[~row_floats][:, column_floats] / 0.7
    # Equal linear cells: r = c/2 and 784 c = 150 V + 634 r, so V - c = 0.679 V; with bias 0.663, measured.
    assert half_selected.mean() == pytest.approx(1 - 150 / (784 - 317), abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_rows_and_columns_may_change_places(mondal_parameters: MacrospinParameters, seed: int) -> None:
    """All levels but those of selected rows are equal, so that an array on its side needs one other level only."""
    cells = junctions(mondal_parameters, (11, 6), seed)
    _, row_floats, column_floats = lines((11, 6), seed)
    row_v, column_v = line_voltages_v(cells, np.full(11, 0.8), row_floats, column_floats, 1e-12)
    on_its_side = replace(cells, state=cells.state.T, r_p_ohm=cells.r_p_ohm.T, tmr0=cells.tmr0.T, defect=cells.defect.T)
    turned_row_v, turned_column_v = line_voltages_v(on_its_side, np.full(6, -0.8), column_floats, row_floats, 1e-12)
    assert turned_row_v + 0.8 == pytest.approx(column_v, abs=1e-11)
    assert turned_column_v + 0.8 == pytest.approx(row_v, abs=1e-11)


def test_voltages_of_linear_cells_add_up() -> None:
    g_s = conductances((20, 12), 3)
    one_v, row_floats, column_floats = lines((20, 12), 3)
    other_v, _, _ = lines((20, 12), 4)
    solutions = [
        np.concatenate(linear_line_voltages_v(g_s, row_v, row_floats, column_floats, 1e-13))
        for row_v in (one_v, other_v, 2 * one_v - 3 * other_v)
    ]
    assert 2 * solutions[0] - 3 * solutions[1] == pytest.approx(solutions[2], abs=1e-11)


def test_bias_does_not_add_up(mondal_parameters: MacrospinParameters) -> None:
    cells = junctions(mondal_parameters, (20, 12), defects=False)
    row_v, row_floats, column_floats = lines((20, 12), 3)
    one, two = (np.concatenate(line_voltages_v(cells, s * row_v, row_floats, column_floats)) for s in (1, 2))
    assert np.abs(two - 2 * one).max() > 1e-3


@pytest.mark.parametrize("at_once", [1, 3])
def test_columns_that_begin_to_float_one_after_another(at_once: int) -> None:
    """Goes on from where it was, and gives what a fresh solution does."""
    shape = (30, 21)
    g_s = conductances(shape, 5)
    level_v, row_floats, _ = lines(shape, 5)
    row_v, column_v, column_floats = np.where(row_floats, 0.0, level_v), np.zeros(21), np.zeros(21, bool)
    columns = eliminate_rows(g_s, None, 1.0, row_v, column_v, row_floats, g_s)
    order = np.random.default_rng(5).permutation(21)
    for first in range(0, 22, at_once):
        # The first time none floats, and in the end all do.
        assert relax(g_s, columns, row_v, column_v, column_floats, 1e-12) <= 1e-12
        expected = dense_voltages_v(g_s, level_v, row_floats, column_floats)
        assert row_v == pytest.approx(expected[0], abs=1e-10)
        assert column_v == pytest.approx(expected[1], abs=1e-10)
        column_floats[order[first : first + at_once]] = True


def test_two_passes_bring_a_wide_array_to_a_microvolt(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernels claim; it takes the mean and the column that has switched off as directions of their own."""
    rng = np.random.default_rng(1)
    g_s = np.where(rng.random((784, 100)) < 0.5, 1 / 4880, 1 / 14900)
    row_floats, column_floats = np.arange(784) % 2 == 1, np.arange(100) >= 50
    level_v = np.where(row_floats, 0.0, 0.7)
    row_v, column_v, passes = level_v.copy(), np.zeros(100), 0
    columns = eliminate_rows(g_s, None, 1.0, row_v, column_v, row_floats, g_s)
    relax(g_s, columns, row_v, column_v, column_floats, 1e-6)
    product = floating_kernels._product

    def counted(*arguments: Any) -> None:
        nonlocal passes
        passes += 1
        product(*arguments)

    monkeypatch.setattr(floating_kernels, "_product", counted)
    for switched_off in range(50):
        column_floats[switched_off] = True
        relax.py_func(g_s, columns, row_v, column_v, column_floats, 1e-6)
        assert passes <= 2 * (switched_off + 1)
    expected = dense_voltages_v(g_s, level_v, row_floats, column_floats)
    assert np.abs(over_cells_v((row_v, column_v)) - over_cells_v(expected)).max() < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_shorts_do_not_hide_an_error(seed: int) -> None:
    """A floating row and column that a short ties together move as one, and all their other cells hold them."""
    g_s = np.random.default_rng(seed).uniform(5e-5, 2e-4, (12, 9))
    g_s[[1, 2], [3, 4]] = 1 / SHORT_OHM
    row_v = lines(g_s.shape, seed)[0]
    floats = np.isin(np.arange(12), (1, 2)), np.isin(np.arange(9), (3, 4))
    found, exact = (linear_line_voltages_v(g_s, row_v, *floats, tolerance_v) for tolerance_v in (1e-4, 1e-13))
    assert np.abs(over_cells_v(found) - over_cells_v(exact)).max() < 1e-4


def test_columns_with_bias_begin_to_float_one_after_another(mondal_parameters: MacrospinParameters) -> None:
    shape = (30, 21)
    cells = junctions(mondal_parameters, shape, 6)
    level_v, row_floats, _ = lines(shape, 6)
    g_s, tmr = kernel_cells(cells)
    row_v, column_v, column_floats = np.where(row_floats, 0.0, level_v), np.zeros(21), np.zeros(21, bool)
    tangent_s = np.empty(shape)
    for column in np.random.default_rng(6).permutation(21):
        column_floats[column] = True
        assert settle(g_s, tmr, cells.v_h_v, row_v, column_v, row_floats, column_floats, tangent_s, 1e-11)
        expected = line_voltages_v(cells, level_v, row_floats, column_floats, 1e-13)
        assert row_v == pytest.approx(expected[0], abs=1e-10)
        assert column_v == pytest.approx(expected[1], abs=1e-10)
    # The tangents are those of the last step.
    step = 1e-6
    over = row_v[:, None] - column_v
    slope = [own_conductance_s(cells, over + sign * step) * (over + sign * step) for sign in (1, -1)]
    assert tangent_s == pytest.approx((slope[0] - slope[1]) / (2 * step), rel=1e-6)


def test_no_line_floats(mondal_parameters: MacrospinParameters) -> None:
    cells = junctions(mondal_parameters, (3, 2))
    level_v = np.array([0.3, -0.5, 0.0])
    row_v, column_v = line_voltages_v(cells, level_v, np.zeros(3, bool), np.zeros(2, bool))
    assert np.array_equal(row_v, level_v)
    assert not column_v.any()


def test_all_lines_float(mondal_parameters: MacrospinParameters) -> None:
    cells = junctions(mondal_parameters, (3, 2))
    found = line_voltages_v(cells, np.full(3, 0.7), np.ones(3, bool), np.ones(2, bool))
    assert not np.concatenate(found).any()
    # A network that was somewhere else before loses every voltage over its cells.
    g_s, tmr = kernel_cells(cells)
    row_v, column_v, floats = np.array([0.5, 0.1, 0.2]), np.array([0.3, 0.4]), np.ones(3, bool)
    assert settle(g_s, tmr, cells.v_h_v, row_v, column_v, floats, floats[:2], np.empty((3, 2)), 1e-12)
    assert np.ptp(np.concatenate((row_v, column_v))) < 1e-11


def test_lines_without_cells_are_at_zero() -> None:
    g_s = np.full((3, 3), 1e-4)
    g_s[1, :] = g_s[:, 2] = 0.0
    floats = np.array([False, True, True])
    row_v, column_v = linear_line_voltages_v(g_s, np.array([0.6, 0.0, 0.0]), floats, floats, 1e-12)
    assert row_v[1] == 0
    assert column_v[2] == 0
    # Column 1 hangs on row 0 at 0.6 V and on row 2; row 2 on column 1 and on column 0 at 0 V.
    assert [column_v[1], row_v[2]] == pytest.approx([0.4, 0.2], abs=1e-12)
    # Wherever they were.
    row_v[1], column_v[2] = 0.3, -0.2
    columns = eliminate_rows(g_s, None, 1.0, row_v, column_v, floats, g_s)
    relax(g_s, columns, row_v, column_v, floats, 1e-12)
    assert row_v[1] == 0
    assert column_v[2] == 0


def test_an_open_cell_by_its_resistance(mondal_parameters: MacrospinParameters) -> None:
    cells = junctions(mondal_parameters, (4, 3), defects=False)
    r_p_ohm = cells.r_p_ohm.copy()
    r_p_ohm[2, 1] = np.inf
    row_v, *floats = lines((4, 3), 2)
    found = line_voltages_v(replace(cells, r_p_ohm=r_p_ohm), row_v, *floats)
    expected = line_voltages_v(cells.with_defects(opens=[(2, 1)]), row_v, *floats)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


def test_kernels_see_cells_as_they_are(mondal_parameters: MacrospinParameters) -> None:
    cells = junctions(mondal_parameters, (6, 5))
    g_s, tmr = kernel_cells(cells)
    for v_v in (0.0, 0.4, -1.1):
        expected, _ = cells.conductance_s(np.full((6, 5), v_v))
        assert g_s / (1 + tmr / (1 + (v_v / cells.v_h_v) ** 2)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("row_v", "row_floats", "column_floats", "told"),
    [
        (np.zeros(2), np.zeros(3, bool), np.zeros(2, bool), "one level per row"),
        (np.zeros(3), np.zeros(2, bool), np.zeros(2, bool), "each row floats"),
        (np.zeros(3), np.zeros(3, bool), np.zeros(3, bool), "each column floats"),
        (np.array([0.0, np.nan, 0.0]), np.zeros(3, bool), np.ones(2, bool), "row 1"),
    ],
)
def test_wrong_input(row_v: np.ndarray, row_floats: np.ndarray, column_floats: np.ndarray, told: str) -> None:
    with pytest.raises(InputError) as caught:
        linear_line_voltages_v(np.ones((3, 2)), row_v, row_floats, column_floats)
    assert told in str(caught.value)


def test_the_level_of_a_floating_row_does_not_count() -> None:
    floats = np.array([True, False])
    row_v, _ = linear_line_voltages_v(np.ones((2, 2)), np.array([np.nan, 0.5]), floats, np.zeros(2, bool))
    assert np.array_equal(row_v, [0.0, 0.5])


def test_cells_that_are_no_matrix() -> None:
    with pytest.raises(InputError) as caught:
        linear_line_voltages_v(np.ones(3), np.zeros(3), np.zeros(3, bool), np.zeros(3, bool))
    assert "shape (3,)" in str(caught.value)


def test_what_does_not_converge_says_so(mondal_parameters: MacrospinParameters) -> None:
    row_v, *floats = lines((6, 5), 1)
    with pytest.raises(SimulationError, match="did not converge"):
        linear_line_voltages_v(conductances((6, 5), 1), row_v, *floats, tolerance_v=-1.0)
    with pytest.raises(SimulationError, match="did not converge"):
        line_voltages_v(junctions(mondal_parameters, (6, 5)), row_v, *floats, tolerance_v=-1.0)

"""The exact read against badcrossbar, a dense nodal analysis, Kirchhoff's laws, and what a network must do."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.crossbar import wired_read
from mtjspice.crossbar.wired_read import cell_voltages_v, effective_conductance_s
from mtjspice.errors import InputError
from mtjspice.resources import checkout

SHAPES = [(1, 1), (1, 5), (6, 1), (4, 4), (7, 3), (3, 8), (17, 10)]
WIRES = [(2.0, 2.0), (5.0, 0.3), (0.0, 3.0), (3.0, 0.0), (0.0, 0.0), (2e4, 1e5)]


def random_cells(shape: tuple[int, int], seed: int = 1) -> np.ndarray:
    """Return conductances of 20 to 1000 uS, every tenth cell open."""
    rng = np.random.default_rng(seed)
    g_s = np.exp(rng.uniform(np.log(2e-5), np.log(1e-3), shape))
    return np.where(rng.random(shape) < 0.1, 0.0, g_s)


def nodal_currents_a(g_s: np.ndarray, r_row_ohm: float, r_column_ohm: float, v_rows_v: np.ndarray) -> np.ndarray:
    """Return the column currents by dense nodal analysis; a wire without resistance makes one node of its ends."""
    rows, columns = g_s.shape
    nodes: dict[Any, Any] = {}

    def name(node: Any) -> Any:
        while node in nodes:
            node = nodes[node]
        return node

    segments = []
    for i in range(rows):
        segments += [(("w", i, j - 1) if j else ("driver", i), ("w", i, j), r_row_ohm) for j in range(columns)]
    for j in range(columns):
        below = [*(("b", i, j) for i in range(1, rows)), ("sense", j)]
        segments += [(below[i], ("b", i, j), r_column_ohm) for i in range(rows)]
    branches = [(("w", i, j), ("b", i, j), float(g_s[i, j])) for i in range(rows) for j in range(columns)]
    for near, far, r_ohm in segments:
        if r_ohm:
            branches.append((near, far, 1 / r_ohm))
        else:
            nodes[far] = near
    names = sorted({name(node) for a, b, _ in branches for node in (a, b)}, key=str)
    number = {node: k for k, node in enumerate(names)}
    matrix = np.zeros((len(names), len(names)))
    for a, b, g in branches:
        k, m = number[name(a)], number[name(b)]
        matrix[k, k] += g
        matrix[m, m] += g
        matrix[k, m] -= g
        matrix[m, k] -= g
    fixed = {number[("driver", i)]: v_rows_v[i] for i in range(rows)}
    fixed |= {number[("sense", j)]: 0.0 for j in range(columns)}
    held, free = list(fixed), [k for k in range(len(names)) if k not in fixed]
    voltages = np.zeros(len(names))
    voltages[held] = list(fixed.values())
    voltages[free] = np.linalg.solve(matrix[np.ix_(free, free)], -matrix[np.ix_(free, held)] @ voltages[held])
    return np.array([-(matrix[number[("sense", j)]] @ voltages) for j in range(columns)])


@pytest.mark.parametrize("wires", WIRES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_dense_nodal_analysis_agrees(shape: tuple[int, int], wires: tuple[float, float]) -> None:
    g_s, v_rows_v = random_cells(shape), np.random.default_rng(2).uniform(-1, 1, shape[0])
    read = v_rows_v @ effective_conductance_s(g_s, *wires)
    expected = nodal_currents_a(g_s, *wires, v_rows_v)
    # Rounding; measured 7e-15.
    assert np.abs(read - expected).max() <= 1e-12 * np.abs(expected).max() + 1e-18


@pytest.fixture
def badcrossbar(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    top = checkout()
    if top is None:
        pytest.skip("badcrossbar is imported by a benchmark, and benchmarks come with the source")
    monkeypatch.syspath_prepend(str(top))
    compute = importlib.import_module("benchmarks.crossbar").badcrossbar_compute()
    if compute is None:
        pytest.skip("badcrossbar is not installed; `make bench` installs it")
    return compute  # type: ignore[no-any-return]


@pytest.mark.parametrize("wires", [(2.0, 2.0), (5.0, 0.3), (0.0, 3.0), (3.0, 0.0)])
@pytest.mark.parametrize("shape", [(1, 5), (6, 1), (4, 4), (7, 3), (3, 8), (64, 48)])
def test_badcrossbar_agrees(
    badcrossbar: Callable[..., Any], shape: tuple[int, int], wires: tuple[float, float]
) -> None:
    g_s = np.random.default_rng(3).uniform(6e-5, 2e-4, shape)
    inputs = np.random.default_rng(4).uniform(-1, 1, (shape[0], 3))
    kwargs = {"r_i_word_line": wires[0], "r_i_bit_line": wires[1]}
    theirs = badcrossbar(inputs, 1 / g_s, **kwargs).currents.output
    ours = inputs.T @ effective_conductance_s(g_s, *wires)
    # The project's demand; measured 4e-13.
    assert np.abs(ours - theirs).max() <= 1e-9 * np.abs(theirs).max()


@pytest.mark.parametrize("wires", WIRES)
@pytest.mark.parametrize("shape", SHAPES)
def test_cell_voltages_obey_kirchhoff(shape: tuple[int, int], wires: tuple[float, float]) -> None:
    """Walk from the drivers and from the sense nodes to each cell: what lies between them is its voltage."""
    g_s, v_rows_v = random_cells(shape), np.random.default_rng(2).uniform(-1, 1, shape[0])
    v_v = cell_voltages_v(g_s, *wires, v_rows_v)
    current_a = g_s * v_v
    in_row_segment_a = current_a[:, ::-1].cumsum(axis=1)[:, ::-1]
    in_column_segment_a = current_a.cumsum(axis=0)
    row_v = v_rows_v[:, None] - wires[0] * in_row_segment_a.cumsum(axis=1)
    column_v = wires[1] * in_column_segment_a[::-1].cumsum(axis=0)[::-1]
    # Rounding; measured 6e-14 V.
    assert np.abs(row_v - column_v - v_v).max() < 1e-12
    read_a = v_rows_v @ effective_conductance_s(g_s, *wires)
    assert np.abs(current_a.sum(axis=0) - read_a).max() <= 1e-11 * np.abs(read_a).max() + 1e-18


@pytest.mark.parametrize("wires", [(2.0, 2.0), (5.0, 0.3), (2000.0, 10.0)])
def test_drivers_and_sense_nodes_may_change_places(wires: tuple[float, float]) -> None:
    g_s = random_cells((60, 25))
    r_row_ohm, r_column_ohm = wires
    one = wired_read._sweep(g_s, r_row_ohm, r_column_ohm)
    other = wired_read._sweep(g_s[::-1, ::-1].T, r_column_ohm, r_row_ohm)[::-1, ::-1].T
    # Element by element, although the smallest are 1e-5 of the largest: rounding, measured 1e-13.
    assert np.array_equal(one == 0, other == 0)
    assert np.abs(other / np.where(one == 0, 1, one) - (one > 0)).max() < 1e-11


def test_open_rows_above_change_nothing() -> None:
    """And shift the others between the blocks in which rows are carried."""
    g_s = random_cells((23, 6))
    whole = effective_conductance_s(g_s, 2.0, 3.0)
    below = effective_conductance_s(np.vstack((np.zeros((5, 6)), g_s)), 2.0, 3.0)
    # Rounding.
    assert np.abs(below[5:] / np.where(whole > 0, whole, 1) - (whole > 0)).max() < 1e-13
    assert not below[:5].any()


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    r_row_ohm=st.floats(0, 1e6),
    r_column_ohm=st.floats(0, 1e6),
)
def test_wires_only_take(seed: int, rows: int, columns: int, r_row_ohm: float, r_column_ohm: float) -> None:
    """No voltage outside those applied: nothing flows backwards, and no more than without wires in all columns."""
    g_s = random_cells((rows, columns), seed)
    effective = effective_conductance_s(g_s, r_row_ohm, r_column_ohm)
    assert (effective >= 0).all()
    assert (effective.sum(axis=1) <= g_s.sum(axis=1) * (1 + 1e-12)).all()
    assert (effective.sum(axis=0) <= g_s.sum(axis=0) * (1 + 1e-12)).all()


def test_without_wires_the_read_is_the_cells() -> None:
    g_s = random_cells((9, 5))
    v_rows_v = np.linspace(-1, 1, 9)
    # Rounding of a row's tridiagonal system.
    assert effective_conductance_s(g_s, 0.0, 0.0) == pytest.approx(g_s, rel=1e-14)
    expected = np.broadcast_to(v_rows_v[:, None], g_s.shape)
    assert cell_voltages_v(g_s, 0.0, 0.0, v_rows_v) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("r_row_ohm", "r_column_ohm"), [(1.0, 0.0), (0.0, 1.0), (1.0, 2.0)])
def test_small_wires_change_the_read_in_proportion(r_row_ohm: float, r_column_ohm: float) -> None:
    g_s = random_cells((9, 5))
    changes = [
        (effective_conductance_s(g_s, scale * r_row_ohm, scale * r_column_ohm) - g_s) / scale for scale in (1e-3, 2e-3)
    ]
    # The next order: 2e-3 ohm over the 1 kohm of the best cell, times 14 segments.
    assert np.abs(changes[1] - changes[0]).max() < 5e-5 * np.abs(changes[0]).max()
    # And a wire of 1e-12 ohm leaves its first order, 1e-15, within rounding.
    assert effective_conductance_s(g_s, 1e-12 * r_row_ohm, 1e-12 * r_column_ohm) == pytest.approx(g_s, rel=1e-13)


def test_one_cell_is_a_series_of_three() -> None:
    assert effective_conductance_s(np.array([[1e-3]]), 200.0, 300.0)[0, 0] == pytest.approx(1 / 1500, rel=1e-15)


@pytest.mark.parametrize(
    ("g_s", "r_row_ohm", "r_column_ohm", "told"),
    [
        (np.ones(3), 1.0, 1.0, "shape (3,)"),
        (np.ones((0, 3)), 1.0, 1.0, "shape (0, 3)"),
        (np.array([[1.0, -2.0]]), 1.0, 1.0, "-2 S"),
        (np.array([[1.0, np.nan]]), 1.0, 1.0, "nan S"),
        (np.array([[1.0, np.inf]]), 1.0, 1.0, "inf S"),
        (np.ones((2, 2)), -1.0, 1.0, "row's wire segment"),
        (np.ones((2, 2)), 1.0, np.inf, "column's wire segment"),
    ],
)
def test_wrong_input(g_s: np.ndarray, r_row_ohm: float, r_column_ohm: float, told: str) -> None:
    for function in (
        lambda: effective_conductance_s(g_s, r_row_ohm, r_column_ohm),
        lambda: cell_voltages_v(g_s, r_row_ohm, r_column_ohm, np.ones(len(g_s))),
    ):
        with pytest.raises(InputError) as caught:
            function()
        assert told in str(caught.value)


def test_inputs_that_do_not_fit() -> None:
    with pytest.raises(InputError) as caught:
        cell_voltages_v(np.ones((2, 3)), 1.0, 1.0, np.ones(3))
    assert "(3,)" in str(caught.value)
    assert "(2,)" in str(caught.value)

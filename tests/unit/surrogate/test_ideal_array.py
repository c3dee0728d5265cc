"""The fast 1T1R array beside a dense kernel that asks the surface about every cell, and beside `SurrogateArray`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import load_card
from mtjspice.crossbar.cells import Cells
from mtjspice.jobs.progress import progress
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.ideal_array import (
    IdealArray,
    ideal_array,
    nominal_rate,
    rate,
    ratio_at,
    write_column,
    write_device,
)
from mtjspice.surrogate.model import ArrayModel, array_model
from mtjspice.training.crossbars import set_state
from mtjspice.training.layers import driven_rows

ROWS = 60
DIRECTIONS = (Direction.AP_TO_P, Direction.P_TO_AP)
FALSE_ALARM = 1e-3
"""Of a test, over all its cases."""


def model_without_wires() -> ArrayModel:
    array = load_array("array45")
    array = array.model_copy(update={"wires": array.wires.model_copy(update={"r_segment_ohm": 0.0})})
    targets = load_campaign("table3").targets
    return array_model(Architecture.ONE_T_ONE_R, load_card("mondal2018"), array, targets, progress=progress)


MODEL = model_without_wires()
DEVICE = write_device(MODEL)


def cells_of(percent: float, shape: tuple[int, int], seed: int = 3) -> Cells:
    rng = np.random.default_rng(seed)
    cells = Cells.nominal(MODEL.parameters, rng.integers(0, 2, shape), MODEL.array.r_short_ohm)
    return cells.varied(percent, rng) if percent else cells


def dense_probability(cells: Cells, state: int, x_abs: np.ndarray, d_abs: float) -> np.ndarray:
    """Return P, (rows, columns), that each cell leaves `state` at |x|, (rows,), by the surface itself."""
    drive, coefficients = MODEL.drive, MODEL.drive.coefficients[DIRECTIONS[state]]
    alike = cells.with_state(np.full(cells.state.shape, state))
    nominal = Cells.nominal(MODEL.parameters, alike.state, cells.r_short_ohm)
    source_v = coefficients.voltage_v(x_abs) + MODEL.select_ohm * coefficients.current_a(x_abs)
    low, high = np.zeros(cells.state.shape), np.broadcast_to(source_v[:, None], cells.state.shape)
    for _ in range(60):  # by bisection: what is left of the source's voltage is the select resistance's
        v = (low + high) / 2
        over = v * (1 + MODEL.select_ohm * alike.conductance_s(v)[0]) > source_v[:, None]
        low, high = np.where(over, low, v), np.where(over, v, high)
    ratio = alike.conductance_s(v)[0] / nominal.conductance_s(v)[0]
    surface = MODEL.surfaces[DIRECTIONS[state]]
    volts = np.minimum(v * ratio, surface.voltages_v[-1])
    return surface.at(volts, drive.t0_s + drive.t1_s * d_abs, MODEL.select_ohm * ratio)


def test_probabilities_are_the_surfaces() -> None:
    levels, cells = np.linspace(0, 1, ROWS), cells_of(20.0, (ROWS, 40))
    nominal, array = cells_of(0.0, (ROWS, 1)), ideal_array(MODEL, DEVICE, cells)
    for state in (0, 1):
        for d_abs in (0.0, 0.13, 0.77, 1.0):
            expected = dense_probability(nominal, state, levels, d_abs)[:, 0]
            found = [-np.expm1(-nominal_rate(DEVICE, state, x, d_abs)) for x in levels.tolist()]
            np.testing.assert_allclose(found, expected, atol=1e-4)
            found = [
                [
                    -np.expm1(-rate(DEVICE, state, ratio_at(DEVICE, array, j, i, state, x), x, d_abs))
                    for i, x in enumerate(levels.tolist())
                ]
                for j in range(len(array.state))
            ]
            np.testing.assert_allclose(found, dense_probability(cells, state, levels, d_abs).T, atol=1e-3)


_share = st.floats(0, 1)


@given(st.integers(0, 1), st.floats(0.3, 3), _share, _share, _share, _share)
def test_no_cell_passes_a_bound(state: int, ratio: float, less: float, top: float, below: float, d_abs: float) -> None:
    """Of a cell of less current at a lower level."""
    bound, nominal = rate(DEVICE, state, ratio, top, d_abs), nominal_rate(DEVICE, state, top, d_abs)
    assert rate(DEVICE, state, less * ratio, below * top, d_abs) <= bound * (1 + 1e-9)
    assert nominal_rate(DEVICE, state, below * top, d_abs) <= nominal * (1 + 1e-9)


@pytest.mark.parametrize("percent", [10.0, 20.0])
def test_strong_cells_are_listed_once(percent: float) -> None:
    cells = cells_of(percent, (ROWS, 20))
    array = ideal_array(MODEL, DEVICE, cells)
    for state in (0, 1):
        start, rows = array.strong_start[state], array.strong_rows[state]
        listed = np.zeros((20, ROWS), int)
        for j in range(20):
            np.add.at(listed[j], rows[start[j] : start[j + 1]], 1)
        np.testing.assert_array_equal(listed, array.resistance[state].min(axis=-1) < array.least[state])
        assert listed.mean() == pytest.approx(0.15, abs=0.01)


def written(array: IdealArray, x: np.ndarray, d_abs: float, lowers: int, eta: float, rng: np.random.Generator) -> int:
    """Write column 0 as the rules do, and return the flips."""
    positive, negative = driven_rows(x, 0.0, np.empty(x.size, np.int64))
    flips = write_column(rng, DEVICE, array, 0, positive, x, d_abs, lowers, eta)
    return int(flips + write_column(rng, DEVICE, array, 0, negative, x, d_abs, 1 - lowers, eta))


@pytest.mark.parametrize("eta", [0.0, 0.3])
@pytest.mark.parametrize("percent", [0.0, 10.0, 20.0])
@pytest.mark.parametrize("lowers", [0, 1])
def test_flips_agree_with_the_dense_kernel(percent: float, lowers: int, eta: float) -> None:
    """Chi-square over the cells, and of the total's variance: 24 numbers share the false alarms."""
    cells, repeats, d_abs = cells_of(percent, (ROWS, 1)), 2500, 0.6
    array = ideal_array(MODEL, DEVICE, cells)
    rng = np.random.default_rng(5)
    x = np.where(rng.random(ROWS) < 0.7, rng.uniform(-1, 1, ROWS), 0.0)
    p = np.zeros(ROWS)
    for state, rows in ((lowers, x > 0), (1 - lowers, x < 0)):
        driven = rows & (cells.state[:, 0] == state)
        p_all = eta * np.abs(x) * d_abs if eta else dense_probability(cells, state, np.abs(x), d_abs)[:, 0]
        p[driven] = p_all[driven]
    start, flips, totals = array.state.copy(), np.zeros(ROWS), []
    for _ in range(repeats):
        count = written(array, x, d_abs, lowers, eta, rng)
        changed = array.state[0] != start[0]
        assert count == changed.sum()
        np.testing.assert_array_equal(array.weight[:, 0], np.where(array.state[0], *array.weight_of[::-1, 0]))
        flips += changed
        totals.append(count)
        set_state(array, start)
    assert not flips[p == 0].any()
    often = repeats * p > 5
    assert often.sum() > 10
    squares = (flips - repeats * p)[often] ** 2 / (repeats * p * (1 - p))[often]
    assert chi2.sf(squares.sum(), often.sum()) > FALSE_ALARM / 24
    # Were flips not independent, their total would vary more or less.
    spread = repeats * np.var(totals, ddof=1) / (p * (1 - p)).sum()
    assert 2 * min(chi2.sf(spread, repeats - 1), chi2.cdf(spread, repeats - 1)) > FALSE_ALARM / 24


def test_rows_that_are_left_out_are_not_written_even_where_cells_are_strong() -> None:
    array = ideal_array(MODEL, DEVICE, cells_of(20.0, (ROWS, 1)))
    set_state(array, np.ones((1, ROWS)))
    x = np.linspace(0.2, 1, ROWS)
    positive, _ = driven_rows(x, 0.8, np.empty(ROWS, np.int64))
    rng = np.random.default_rng(1)
    for _ in range(300):
        write_column(rng, DEVICE, array, 0, positive, x, 1.0, 1, 0.0)
    assert array.state[0, x <= 0.8].all()
    assert not array.state[0, x > 0.8].all()


def test_defects_do_not_switch() -> None:
    cells = (
        cells_of(0.0, (ROWS, 1))
        .with_state(np.ones((ROWS, 1)))
        .with_defects(stuck=[(4, 0)], shorts=[(9, 0)], opens=[(7, 0)])
    )
    array = ideal_array(MODEL, DEVICE, cells)
    rng, rows = np.random.default_rng(1), np.arange(ROWS)
    for _ in range(50):
        write_column(rng, DEVICE, array, 0, rows, np.ones(ROWS), 1.0, 1, 1.0)
    np.testing.assert_array_equal(np.flatnonzero(array.state[0]), [4, 7, 9])


@pytest.mark.parametrize("percent", [0.0, 10.0])
def test_reads_are_the_surrogates(percent: float) -> None:
    cells, rng = cells_of(percent, (ROWS, 20)), np.random.default_rng(2)
    weight = ideal_array(MODEL, DEVICE, cells).weight
    surrogate = SurrogateArray(MODEL, cells, rng)
    x, delta = rng.uniform(-1, 1, ROWS), rng.uniform(-1, 1, 20)
    np.testing.assert_allclose(x @ weight, surrogate.read(x).weighted, atol=1e-4)
    np.testing.assert_allclose(weight @ delta, surrogate.read_transposed(delta).weighted, atol=1e-4)


def test_as_many_cells_flip_as_in_the_surrogate() -> None:
    """Within four standard errors, 6e-5 false alarms, and the 2 % by which `LargeWriter` is off."""
    cells, rng, repeats = cells_of(10.0, (ROWS, 20)), np.random.default_rng(4), 40
    x, delta = rng.uniform(-1, 1, ROWS), rng.uniform(-1, 1, 20)
    surrogate, array = SurrogateArray(MODEL, cells, rng), ideal_array(MODEL, DEVICE, cells)
    rows = np.empty(ROWS, np.int64)
    counts: dict[str, list[int]] = {"surrogate": [], "ideal": []}
    for _ in range(repeats):
        surrogate.cells = cells
        counts["surrogate"].append(int(surrogate.write(x, delta).flips.sum()))
        set_state(array, cells.state.T)
        positive, negative = driven_rows(x, 0.0, rows)
        flips = 0
        for j in range(20):
            lowers = int(delta[j] > 0)
            flips += write_column(rng, DEVICE, array, j, positive, x, abs(delta[j]), lowers, 0.0)
            flips += write_column(rng, DEVICE, array, j, negative, x, abs(delta[j]), 1 - lowers, 0.0)
        counts["ideal"].append(flips)
    means = [np.mean(counts[key]) for key in counts]
    error = np.hypot(*(np.std(counts[key]) / np.sqrt(repeats) for key in counts))
    assert abs(means[0] - means[1]) < 4 * error + 0.02 * means[0]

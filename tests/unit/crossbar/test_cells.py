"""Cells: their states, their spread, their defects, and a tangent that is the derivative."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.errors import InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm

STATE = np.array([[1, 0, 1], [0, 0, 1]])


@pytest.fixture
def cells(mondal_parameters: MacrospinParameters) -> Cells:
    return Cells.nominal(mondal_parameters, STATE, 250.0)


@pytest.mark.parametrize(
    ("state", "given"), [([[1, 2]], "2"), ([[0.5]], "0.5"), ([[-1, 1]], "-1"), ([[np.nan]], "nan")]
)
def test_states_are_0_or_1(mondal_parameters: MacrospinParameters, state: list, given: str) -> None:
    with pytest.raises(InputError, match=f"neither 0 nor 1(.|\n)*{given}"):
        Cells.nominal(mondal_parameters, np.array(state), 250.0)


@pytest.mark.parametrize("state", [[1, 0], 1, [[]], [[[1]]]])
def test_states_are_a_matrix(mondal_parameters: MacrospinParameters, state: list) -> None:
    with pytest.raises(InputError, match="matrix of rows by columns"):
        Cells.nominal(mondal_parameters, np.array(state), 250.0)


def test_true_and_false_are_states(mondal_parameters: MacrospinParameters, cells: Cells) -> None:
    np.testing.assert_array_equal(Cells.nominal(mondal_parameters, STATE == 1, 250.0).state, cells.state)


def test_nominal_cells_conduct_as_the_junction(mondal_parameters: MacrospinParameters, cells: Cells) -> None:
    v = np.full(STATE.shape, -0.4)
    r_ap = antiparallel_resistance_ohm(mondal_parameters, -0.4)
    expected = np.where(STATE == 1, 1 / mondal_parameters.r_p_ohm, 1 / r_ap)
    np.testing.assert_allclose(cells.conductance_s(v)[0], expected, rtol=1e-12)


def test_the_tangent_is_the_derivative_of_the_current(cells: Cells) -> None:
    v = np.linspace(-1.2, 1.2, STATE.size).reshape(STATE.shape)
    varied = cells.varied(10, np.random.default_rng(1)).with_defects(opens=[(0, 0)], shorts=[(1, 2)])
    for state in (STATE, 1 - STATE):
        these, h = varied.with_state(state), 1e-5
        current = [these.conductance_s(u)[0] * u for u in (v - h, v + h)]
        # The central difference errs by h^2/6 of the third derivative, some 1e-10, and by rounding, 1e-11.
        np.testing.assert_allclose(
            these.conductance_s(v)[1], (current[1] - current[0]) / (2 * h), rtol=1e-8, atol=1e-14
        )


def test_the_conductance_does_not_depend_on_the_sign_of_the_voltage(cells: Cells) -> None:
    v = np.full(STATE.shape, 0.7)
    for one, other in zip(cells.conductance_s(v), cells.conductance_s(-v), strict=True):
        np.testing.assert_array_equal(one, other)


def test_open_and_shorted_cells(cells: Cells) -> None:
    v = np.full(STATE.shape, 0.5)
    defective = cells.with_defects(stuck=[(0, 1)], opens=[(0, 0)], shorts=[(1, 2)])
    for values, healthy in zip(defective.conductance_s(v), cells.conductance_s(v), strict=True):
        assert values[0, 0] == 0
        assert values[1, 2] == 1 / 250
        others = np.array([[False, True, True], [True, True, False]])
        np.testing.assert_array_equal(values[others], healthy[others])
    np.testing.assert_array_equal(defective.switches, [[False, False, True], [True, True, False]])


def test_a_cell_has_one_defect(cells: Cells) -> None:
    with pytest.raises(InputError, match=r"both stuck and short(.|\n)*row 2, column 3"):
        cells.with_defects(stuck=[(1, 2)], shorts=[(1, 2)])
    with pytest.raises(InputError, match="both open and short"):
        cells.with_defects(opens=[(0, 0)]).with_defects(shorts=[(0, 0)])
    twice = cells.with_defects(stuck=[(1, 2), (1, 2)])  # the same one again is no contradiction
    assert twice.defect[1, 2] == Defect.STUCK


@pytest.mark.parametrize("place", [(2, 0), (0, 3), (-1, 0)])
def test_a_defect_lies_within_the_array(cells: Cells, place: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"no such cell(.|\n)*rows 1 to 2, columns 1 to 3"):
        cells.with_defects(opens=[place])


def test_cells_are_not_changed_in_place(cells: Cells) -> None:
    cells.with_defects(stuck=[(0, 0)])
    cells.varied(5, np.random.default_rng(1))
    cells.with_state(1 - STATE)
    assert not cells.defect.any()
    np.testing.assert_array_equal(cells.state, STATE)
    assert np.ptp(cells.r_p_ohm) == 0


def test_the_spread_is_a_cut_gaussian_in_both_states(mondal_parameters: MacrospinParameters) -> None:
    """Kolmogorov-Smirnov, and the correlation of R_P with R_AP, each at a false-alarm rate of 0.1 %; seed fixed."""
    cells = Cells.nominal(mondal_parameters, np.zeros((100, 100)), 250.0)
    varied = cells.varied(10, np.random.default_rng(7))
    r_ap = cells.r_p_ohm * (1 + cells.tmr0)
    z_p = 10 * (varied.r_p_ohm / cells.r_p_ohm - 1)
    z_ap = 10 * (varied.r_p_ohm * (1 + varied.tmr0) / r_ap - 1)
    cut = stats.truncnorm(-3, 3)
    for z in (z_p, z_ap):
        assert np.abs(z).max() <= 3 + 1e-9
        assert np.abs(z).max() > 2.8  # 50 of 1e4 lie beyond 2.8 sigma
        assert stats.kstest(z.ravel(), cut.cdf).pvalue > 1e-3
        # Sigma by itself: the variance of n draws scatters by sqrt((kurtosis - 1)/n).
        n, variance = z.size, cut.var()
        scatter = variance * np.sqrt((cut.stats(moments="k") + 2) / n)
        assert abs(z.var() - variance) < 3.3 * scatter
    assert stats.pearsonr(z_p.ravel(), z_ap.ravel()).pvalue > 1e-3


def test_the_same_generator_gives_the_same_cells(cells: Cells) -> None:
    one, other = (cells.varied(5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.r_p_ohm, other.r_p_ohm)
    np.testing.assert_array_equal(one.tmr0, other.tmr0)


def test_no_spread_changes_nothing(cells: Cells) -> None:
    same = cells.varied(0, np.random.default_rng(3))
    np.testing.assert_array_equal(same.r_p_ohm, cells.r_p_ohm)
    np.testing.assert_allclose(same.tmr0, cells.tmr0, rtol=1e-14)


@pytest.mark.parametrize("percent", [-1.0, 34.0, float("nan")])
def test_a_spread_keeps_resistances_positive(cells: Cells, percent: float) -> None:
    with pytest.raises(InputError, match="spread of resistances is out of range"):
        cells.varied(percent, np.random.default_rng(1))
    widest = cells.varied(33.0, np.random.default_rng(1))
    assert (widest.r_p_ohm > 0).all()
    assert (widest.tmr0 > -1).all()


def test_a_shorted_cell_is_what_the_array_card_says(cells: Cells) -> None:
    shorted = replace(cells, r_short_ohm=100.0).with_defects(shorts=[(0, 0)])
    assert shorted.conductance_s(np.zeros(STATE.shape))[0][0, 0] == 0.01

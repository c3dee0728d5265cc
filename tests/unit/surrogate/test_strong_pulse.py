"""Strong pulses and digital reads: how often they fail."""

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.surrogate.ideal_array import ideal_array, write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.strong_pulse import failure_probability, misread, strong_pulse_j


def nominal(model: ArrayModel, shape: tuple[int, int] = (3, 2)) -> Cells:
    return Cells.nominal(model.parameters, np.zeros(shape), model.array.r_short_ohm)


@pytest.mark.parametrize("t_s", [1e-9, 3e-9, 10e-9])
def test_a_nominal_cell_fails_as_the_surface_says(model: ArrayModel, t_s: float) -> None:
    found = failure_probability(model, nominal(model), t_s)
    assert found.shape == (2, 2, 3)
    for state, direction in enumerate((Direction.AP_TO_P, Direction.P_TO_AP)):
        v_v = model.drive.coefficients[direction].voltage_v(1.0)
        expected = 1 - model.surfaces[direction].at(v_v, t_s, model.select_ohm)
        np.testing.assert_allclose(found[state], float(expected), rtol=1e-3, atol=1e-6)


def test_longer_pulses_and_lower_resistances_fail_less(model: ArrayModel) -> None:
    cells = nominal(model, (9, 1))
    factors = np.linspace(0.6, 1.4, 9)[:, None]
    varied = Cells(**{**vars(cells), "r_p_ohm": cells.r_p_ohm * factors})
    by_time = np.array([failure_probability(model, varied, t_s)[:, 0] for t_s in (1e-9, 2e-9, 5e-9, 10e-9)])
    assert (np.diff(by_time, axis=0) <= 0).all()  # longer
    assert (np.diff(by_time, axis=2) >= 0).all()  # of more resistance
    assert (by_time[0, :, -1] > by_time[0, :, 0]).all()


def test_what_cannot_switch_always_fails(model: ArrayModel) -> None:
    cells = nominal(model).with_defects(stuck=[(1, 0)])
    found = failure_probability(model, cells, 10e-9)
    assert (found[:, 0, 1] == 1).all()
    assert (found[:, 1] < 1).all()


def test_a_pulse_beyond_the_surface_is_an_error(model: ArrayModel) -> None:
    with pytest.raises(InputError, match="too long"):
        failure_probability(model, nominal(model), 1.0)


def test_a_strong_pulse_takes_v_times_i_times_t(model: ArrayModel) -> None:
    found = strong_pulse_j(model, 10e-9)
    for of_state, direction in zip(found, (Direction.AP_TO_P, Direction.P_TO_AP), strict=True):
        coefficients = model.drive.coefficients[direction]
        i_a = float(coefficients.current_a(1.0))
        source_v = float(coefficients.voltage_v(1.0)) + model.select_ohm * i_a
        assert of_state == pytest.approx(source_v * i_a * 10e-9, rel=1e-3)


def test_cells_beyond_the_reference_are_misread(model: ArrayModel) -> None:
    cells = nominal(model, (3, 1))
    factors = np.array([[0.4], [1.0], [2.5]])  # AP below the mean of the two, nominal, P above it
    array = ideal_array(model, write_device(model), Cells(**{**vars(cells), "r_p_ohm": cells.r_p_ohm * factors}))
    as_p, as_ap = misread(array)
    np.testing.assert_array_equal(as_p, [[True, False, False]])
    np.testing.assert_array_equal(as_ap, [[False, False, True]])

"""The write coefficients of a cell behind a series resistance."""

import math

import numpy as np
import pytest

from mtjspice.calibration.cell import calibrate_cell
from mtjspice.calibration.result import read_result
from mtjspice.cards.campaign import Targets, load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError
from mtjspice.junction.fokker_planck import switching_probabilities_in_series
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s, write_voltage_v
from mtjspice.resources import calibration_folder

REFERENCE = read_result(calibration_folder() / "mondal2018" / "calibration.json")
X = np.array([0.0, 0.25, 1.0])


@pytest.fixture(scope="module")
def targets() -> Targets:
    return load_campaign("table3").targets


@pytest.mark.parametrize("direction", Direction)
def test_without_resistance_it_is_the_committed_voltage_drive(
    mondal_parameters: MacrospinParameters, targets: Targets, direction: Direction
) -> None:
    cell = calibrate_cell(mondal_parameters, targets, 0.0)[direction]
    expected = REFERENCE[direction]["voltage_drive"]["fokker_planck"]
    low, high = cell.voltage_v(np.array([0.0, 1.0]))
    # Levels are found to 1 part in 10^7 of a volt.
    assert low == pytest.approx(expected["v0_v"], rel=1e-6)
    assert high - low == pytest.approx(expected["v1_v"], rel=1e-6)
    assert (cell.t0_s, cell.t1_s) == (targets.t0_s, targets.t1_s)


@pytest.mark.parametrize("direction", Direction)
def test_behind_infinite_resistance_it_is_the_committed_current_drive(
    mondal_parameters: MacrospinParameters, targets: Targets, direction: Direction
) -> None:
    cell = calibrate_cell(mondal_parameters, targets, math.inf)[direction]
    expected = REFERENCE[direction]["fokker_planck"]
    assert cell.i0_a == pytest.approx(expected["i0_a"], rel=1e-6)
    assert cell.i1_a == pytest.approx(expected["i1_a"], rel=1e-6)


@pytest.mark.parametrize("direction", Direction)
def test_pulses_of_the_ends_switch_with_p0(
    mondal_parameters: MacrospinParameters, targets: Targets, direction: Direction
) -> None:
    """Eqs. 8 and 9, and eq. 7's corner beyond them."""
    cell = calibrate_cell(mondal_parameters, targets, 1500.0)[direction]
    widths = [targets.t0_s, targets.t0_s + targets.t1_s]
    p = switching_probabilities_in_series(
        mondal_parameters, direction, list(cell.voltage_v(np.array([0.0, 1.0]))), widths, 1500.0
    )
    # Levels to 1e-7; P grows by 20 times that.
    assert p[0, 1] == pytest.approx(targets.p0, rel=1e-5)
    assert p[1, 0] == pytest.approx(targets.p0, rel=1e-5)
    assert p[0, 0] < 0.01
    assert p[1, 1] > 0.5


@pytest.mark.parametrize("direction", Direction)
def test_voltages_belong_to_the_currents_of_the_initial_state(
    mondal_parameters: MacrospinParameters, targets: Targets, direction: Direction
) -> None:
    cell = calibrate_cell(mondal_parameters, targets, 800.0)[direction]
    current, voltage = cell.current_a(X), cell.voltage_v(X)
    assert current == pytest.approx(cell.i0_a + cell.i1_a * X)
    assert voltage * conductance_s(mondal_parameters, voltage, np.full(3, direction.initial_mz)) == pytest.approx(
        current, rel=1e-13
    )
    assert voltage.tolist() == [write_voltage_v(mondal_parameters, direction, i) for i in current.tolist()]


def test_resistance_moves_the_coefficients_from_voltage_to_current_drive(
    mondal_parameters: MacrospinParameters, targets: Targets
) -> None:
    cells = [calibrate_cell(mondal_parameters, targets, r) for r in (0.0, 500.0, 3e3, math.inf)]
    for direction, sign in ((Direction.AP_TO_P, 1), (Direction.P_TO_AP, -1)):
        assert (np.diff([cell[direction].i0_a for cell in cells]) * sign > 0).all()


def test_a_negative_resistance_is_refused(mondal_parameters: MacrospinParameters, targets: Targets) -> None:
    with pytest.raises(InputError, match="not negative"):
        calibrate_cell(mondal_parameters, targets, -1.0)

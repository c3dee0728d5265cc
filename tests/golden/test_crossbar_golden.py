"""The crossbar's netlists, word for word: a step, a write and a read that between them hold every kind of element."""

from dataclasses import replace

import numpy as np
from array_cards import ARRAY, IDEAL_ARRAY
from pytest_regressions.file_regression import FileRegressionFixture

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.netlist.context import NoiseFile
from mtjspice.netlist.render import render_crossbar
from mtjspice.schedule import read_schedule, step_schedule, write_schedule
from mtjspice.spice.crossbar_decks import Device, live_labels, read_context, transient_context

X, DELTA = np.array([1.0, -0.25]), np.array([0.5, -1.0])
STATE = np.array([[1, 0], [0, 1]])
STARTS = np.array([[[0.1, 0.0, 0.995], [0.0, 0.1, -0.995]], [[-0.1, 0.0, -0.995], [0.0, -0.1, 0.995]]])


class RoundDrive:
    """Levels near the calibrated ones, that no calibration changes."""

    t0_s, t1_s = 1.5e-9, 1e-9

    def row_voltage_v(self, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
        return -(0.58 + 0.2 * x_abs) if direction is Direction.AP_TO_P else 0.77 + 0.33 * x_abs


def cells(parameters: MacrospinParameters) -> Cells:
    return Cells.nominal(parameters, STATE, ARRAY.r_short_ohm)


def test_step_of_a_1t1r_crossbar_for_people(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    context = transient_context(
        step_schedule(X, DELTA, RoundDrive(), Architecture.ONE_T_ONE_R, ARRAY, 2),
        cells(mondal_parameters),
        Device(mondal_parameters, ARRAY, 7e3),
        STARTS,
        [NoiseFile("field1.txt", tuple(live_labels(cells(mondal_parameters))), 4e-7)],
        title="One step of a 2 x 2 crossbar",
        header=("x = 1, -0.25", "delta = 0.5, -1"),
        people=True,
    )
    file_regression.check(render_crossbar(context), extension=".cir")


def test_four_phase_write_of_a_1r_crossbar_with_cells_that_vary(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    """One cell is stuck, one shorted; every junction has a resistance of its own."""
    varied = replace(
        cells(mondal_parameters),
        r_p_ohm=np.array([[4800.0, 5000.0], [4900.0, 4700.0]]),
        tmr0=np.array([[2.1, 2.0], [1.9, 2.2]]),
    ).with_defects(stuck=[(0, 1)], shorts=[(1, 1)])
    context = transient_context(
        write_schedule(X, DELTA, RoundDrive(), Architecture.ONE_R, ARRAY, 4),
        varied,
        Device(mondal_parameters, ARRAY, 7e3),
        STARTS,
        [NoiseFile("field1.txt", tuple(live_labels(varied)), 4e-7)],
        title="A write of four phases on a 2 x 2 crossbar",
    )
    file_regression.check(render_crossbar(context), extension=".cir")


def test_read_of_a_1r_crossbar_with_ideal_switches_and_without_wires(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    """An operating point, for people; one cell is open."""
    context = read_context(
        read_schedule(X, 2, Architecture.ONE_R, IDEAL_ARRAY),
        cells(mondal_parameters).with_defects(opens=[(1, 0)]),
        Device(mondal_parameters, IDEAL_ARRAY, 7e3),
        title="A read of a 2 x 2 crossbar",
        people=True,
    )
    file_regression.check(render_crossbar(context), extension=".cir")

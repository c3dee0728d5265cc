"""The netlists of ternary synapses, word for word: a read and an update that hold every kind of element."""

import numpy as np
from array_cards import ARRAY, IDEAL_ARRAY
from pytest_regressions.file_regression import FileRegressionFixture

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.netlist.context import NoiseFile
from mtjspice.netlist.render import render_ternary
from mtjspice.spice.crossbar_decks import Device
from mtjspice.spice.ternary_decks import pair_labels, ternary_context
from mtjspice.ternary_schedule import ternary_read_schedule, ternary_update_schedule

LEVELS = {Direction.AP_TO_P: 0.59, Direction.P_TO_AP: -0.76}


def test_update_of_2_x_1_synapses_for_people(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    """W = 1 is lowered, a W = 0 is raised; one junction is shorted."""
    cells = Cells.nominal(mondal_parameters, np.array([[1], [0], [0], [0]]), 250.0).with_defects(shorts=[(3, 0)])
    starts = np.array([[[0.1, 0.0, 0.995]], [[0.0, 0.1, -0.995]], [[-0.1, 0.0, -0.995]], [[0.0, -0.1, -0.995]]])
    context = ternary_context(
        ternary_update_schedule(np.array([[-2.5e-9], [1.5e-9]]), LEVELS, ARRAY),
        cells,
        Device(mondal_parameters, ARRAY, 7e3),
        title="An update of 2 x 1 ternary synapses",
        starts=starts,
        noise=[NoiseFile("field1.txt", tuple(pair_labels(cells)), 4e-7)],
        header=("lower row 1, raise row 2",),
        people=True,
    )
    file_regression.check(render_ternary(context), extension=".cir")


def test_read_of_1_x_2_synapses_with_ideal_switches_and_without_wires(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    context = ternary_context(
        ternary_read_schedule(np.array([-1]), 2, IDEAL_ARRAY),
        Cells.nominal(mondal_parameters, np.array([[1, 0], [0, 0]]), 250.0),
        Device(mondal_parameters, IDEAL_ARRAY, 7e3),
        title="A read of 1 x 2 ternary synapses",
        operating_point=True,
        people=True,
    )
    file_regression.check(render_ternary(context), extension=".cir")

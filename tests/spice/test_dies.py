"""A drawn die in ngspice: defects, resistances that vary and wires, read as the surrogate reads them."""

import numpy as np
import pytest

from mtjspice.cards.array import Architecture
from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.cosim.read import read_errors, spice_read
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.die_drawing import draw_dies
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.model import ArrayModel, load_model

pytestmark = pytest.mark.spice

SHAPE = (4, 4)
X = np.array([1.0, -0.6, 0.8, -1.0])


def defective(model: ArrayModel) -> Cells:
    """Return the array of a die that has every kind of defect; half of its healthy cells are parallel."""
    statistics = load_die_statistics("borders2024").at_rate(0.4).model_copy(update={"die_percent": 5.0})
    dies = draw_dies(statistics, model.parameters, model.array.r_short_ohm, (SHAPE,), 100, 1)
    die = next(die for die in dies if all(die.defects.values()))
    cells = die.arrays[0]
    drawn = np.random.default_rng(2).integers(0, 2, SHAPE)
    return cells.with_state(np.where(cells.defect == Defect.NONE, drawn, cells.state))


def test_a_defective_die_with_wires_and_transistors(model: ArrayModel) -> None:
    """BSIM4 transistors against their table, which is within 0.3 %: the whole read, and cell by cell."""
    cells = defective(model)
    whole, by_cell = read_errors(model, cells, X)
    assert np.abs(whole).max() < 3e-3
    assert np.abs(by_cell).max() < 3e-3
    ours = SurrogateArray(model, cells, np.random.default_rng(1)).read(X).i_column_a
    theirs = spice_read(model, cells, X)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-3 * np.abs(theirs).max())
    # Healthy cells in the same states carry other currents: the defects are in the deck.
    healthy = Cells.nominal(model.parameters, cells.state, model.array.r_short_ohm)
    assert np.abs(spice_read(model, healthy, X) - theirs).max() > 0.1 * np.abs(theirs).max()


@pytest.fixture(scope="module")
def ideal() -> ArrayModel:
    """Ideal lines, and ideal switches of 1.5 kohm in the cells."""
    return load_model(Architecture.ONE_T_ONE_R, array="select1500")


def test_ideal_lines_and_switches_agree_to_rounding(ideal: ArrayModel) -> None:
    """Both solve the same equations, ngspice to a reltol of 1e-7."""
    whole, by_cell = read_errors(ideal, defective(ideal), X)
    assert np.abs(whole).max() < 1e-6
    assert np.abs(by_cell).max() < 1e-6


def test_the_linear_read_of_a_die_is_ngspice_s(ideal: ArrayModel) -> None:
    """x g of `ReadModel.conductance_s`, which is all that dies are read by.

    It takes R_AP at the read voltage. In the cell a junction has less than that, and R_AP is higher by at most
    (V/V_h)^2 = 2.2 % of its TMR part, 1.5 % in all.
    """
    cells = defective(ideal)
    found = X * ideal.array.read.v_read_v @ ideal.conductance_s(cells)
    theirs = spice_read(ideal, cells, X)
    np.testing.assert_allclose(found, theirs, rtol=0, atol=0.015 * np.abs(theirs).max())

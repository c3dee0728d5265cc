"""Energies of the fast 1T1R array beside `SurrogateArray`'s, without wires."""

import numpy as np
import pytest

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells
from mtjspice.jobs.progress import progress
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.ideal_array import ideal_array, write_device
from mtjspice.surrogate.ideal_energy import read_energy_j, write_energy_j
from mtjspice.surrogate.model import ArrayModel, array_model

SHAPE = (60, 20)


@pytest.fixture(scope="module")
def model(mondal: JunctionCard) -> ArrayModel:
    array = load_array("array45")
    array = array.model_copy(update={"wires": array.wires.model_copy(update={"r_segment_ohm": 0.0})})
    return array_model(Architecture.ONE_T_ONE_R, mondal, array, load_campaign("table3").targets, progress=progress)


@pytest.mark.parametrize("percent", [0.0, 10.0])
def test_reads_take_what_the_surrogates_take(model: ArrayModel, percent: float) -> None:
    rng = np.random.default_rng(1)
    cells = Cells.nominal(model.parameters, rng.integers(0, 2, SHAPE), model.array.r_short_ohm).varied(percent, rng)
    weight = ideal_array(model, write_device(model), cells).weight
    surrogate = SurrogateArray(model, cells, rng)
    x, delta = rng.uniform(-1, 1, SHAPE[0]), rng.uniform(-1, 1, SHAPE[1])
    assert read_energy_j(model, weight, x) == pytest.approx(surrogate.read(x).energy_j, rel=0.01)
    transposed_j = surrogate.read_transposed(delta).energy_j
    assert read_energy_j(model, weight.T, delta) == pytest.approx(transposed_j, rel=0.01)


@pytest.mark.parametrize("state", [0, 1])
def test_writes_take_what_the_surrogates_take(model: ArrayModel, state: int) -> None:
    """Of cells that are already where they are driven, so that none flips."""
    rng = np.random.default_rng(2)
    cells = Cells.nominal(model.parameters, np.full(SHAPE, state), model.array.r_short_ohm).varied(10.0, rng)
    device = write_device(model)
    x = np.where(rng.random(SHAPE[0]) < 0.5, rng.random(SHAPE[0]), 0.0)
    delta = rng.uniform(0.1, 1, SHAPE[1]) * (-1 if state else 1)
    outcome = SurrogateArray(model, cells, rng).write(x, delta)
    assert not outcome.flips.any()
    found_j = write_energy_j(model, device, ideal_array(model, device, cells), x, delta)
    assert found_j == pytest.approx(outcome.energy_j, rel=0.01)


def test_nothing_driven_takes_nothing(model: ArrayModel) -> None:
    cells = Cells.nominal(model.parameters, np.zeros(SHAPE), model.array.r_short_ohm)
    device = write_device(model)
    array = ideal_array(model, device, cells)
    assert write_energy_j(model, device, array, np.zeros(SHAPE[0]), np.ones(SHAPE[1])) == 0
    assert write_energy_j(model, device, array, np.ones(SHAPE[0]), np.zeros(SHAPE[1])) == 0

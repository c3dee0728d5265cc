"""The chopped counter in SPICE: updates noted as often as without it, then counted, cleared and chopped in circuits."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from mtjspice.cosim.statistics import compare
from mtjspice.cosim.surrogate_write import SurrogateTask, run_surrogate_writes
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import NgspiceMissingError
from mtjspice.experiments.counter_step import CounterSynapses, NewArray, SharingSpiceArray
from mtjspice.schedule import write_schedule
from mtjspice.surrogate.exact_write import ExactWriter
from mtjspice.surrogate.ideal_array import nominal_rate, write_device
from mtjspice.surrogate.model import ArrayModel

session_module = pytest.importorskip("mtjspice.spice.session")
pytestmark = [pytest.mark.spice, pytest.mark.slow]

ROWS, COLUMNS = 2, 3
T_STRONG_S = 10e-9


@pytest.fixture(scope="module")
def model(model: ArrayModel) -> ArrayModel:
    """The shipped model, where SPICE can run in this process."""
    try:
        session_module.find_library()
    except NgspiceMissingError as error:
        pytest.skip(str(error).splitlines()[0])
    return model


def in_spice(seed: int) -> NewArray:
    return lambda model, cells, number: SharingSpiceArray(model, cells, seed, (number,))


@pytest.mark.parametrize(("seed", "bits"), [(1, 2), (2, 3), (3, 2), (4, 3)])
def test_a_step(model: ArrayModel, seed: int, bits: int) -> None:
    """Bits are what integers make of the notes; a strong pulse fails once in 3 million."""
    rng, half = np.random.default_rng(seed), 2 ** (bits - 1)
    start = rng.integers(-half, half, (ROWS, COLUMNS))
    chop = rng.permutation([1, -1, 1])
    synapses = CounterSynapses(in_spice(seed), model, start, bits, T_STRONG_S)
    synapses.chop[:] = chop
    # The last column is not written; of the others only cells where -x delta has the chop's sign.
    x, delta = rng.permutation([1.0, -0.9]), np.append(rng.permutation([1.0, -1.0]), 0.0)
    for _ in range(2):
        synapses.note(x, delta)
    noted = synapses.noted.copy()
    assert noted.any()
    assert not noted[-np.outer(x, delta) * chop <= 0].any()
    np.testing.assert_array_equal(synapses.counters, start)
    expected = start.copy()
    for j in range(COLUMNS):
        synapses.transfer(j)
        expected[:, j] = np.clip(start[:, j] + chop[j] * noted[:, j], -half, half - 1)
        np.testing.assert_array_equal(synapses.counters, expected)
        np.testing.assert_array_equal(synapses.noted, np.where(np.arange(COLUMNS) > j, noted, 0))
    np.testing.assert_array_equal(synapses.chop, -chop)


def test_updates_are_noted_as_often_as_without_spice(model: ArrayModel) -> None:
    """Each cell against the surrogate's count, and both against the training kernel's probability.

    A false alarm once in a thousand seeds for each of the three (exact binomial tails, Bonferroni over the cells); the
    seed is fixed. The kernel leaves wires out, half a point in the last column.
    """
    runs, surrogate_runs, x, delta = 120, 500, np.array([1.0, 0.6]), np.array([-0.9, 0.7, -0.4])
    zeros = np.zeros((ROWS, COLUMNS), int)
    noted = np.empty((runs, zeros.size), bool)
    for run in range(runs):
        synapses = CounterSynapses(in_spice(run), model, zeros, 2, T_STRONG_S)
        # All cells are written: their columns' chops have their updates' signs.
        synapses.chop[:] = -np.sign(delta)
        synapses.note(x, delta)
        noted[run] = synapses.noted.ravel()

    cells = Cells.nominal(model.parameters, zeros, model.array.r_short_ohm)
    schedule = write_schedule(x, -np.abs(delta), model.drive, model.architecture, model.array, 2)
    task = SurrogateTask(ExactWriter, model, schedule, cells, surrogate_runs, 1, (0,))
    flipped = np.zeros((surrogate_runs, zeros.size), bool)
    for run, changed in enumerate(run_surrogate_writes(task)["changed"]):
        flipped[run, changed] = True
    agreement = compare(noted, flipped, np.random.default_rng(1))
    assert agreement.worst_sigma < norm.isf(1e-3 / 2 / zeros.size)

    device = write_device(model)
    for n, (i, j) in enumerate(np.ndindex(ROWS, COLUMNS)):
        p = -np.expm1(-nominal_rate(device, 0, x[i], abs(delta[j])))
        for found in (noted, flipped):
            assert binomtest(int(found[:, n].sum()), len(found), p).pvalue > 1e-3 / zeros.size

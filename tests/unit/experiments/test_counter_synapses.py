"""The chopped counter on the surrogate's arrays counts as plain integers do, and as the training kernels."""

import numpy as np
import pytest
from scipy.stats import binomtest

from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.experiments.counter_step import CounterSynapses, NewArray
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.ideal_array import ideal_array, nominal_rate, write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.strong_pulse import failure_probability
from mtjspice.training.counter import _Layer, _transfer

ROWS, COLUMNS = 2, 3
T_STRONG_S = 10e-9


def on_surrogate(rng: np.random.Generator) -> NewArray:
    return lambda model, cells, number: SurrogateArray(model, cells, rng)


@pytest.mark.parametrize("bits", [2, 3])
def test_windows_are_counted(model: ArrayModel, bits: int) -> None:
    rng, half = np.random.default_rng(bits), 2 ** (bits - 1)
    start = rng.integers(-half, half, (ROWS, COLUMNS))
    synapses = CounterSynapses(on_surrogate(rng), model, start, bits, T_STRONG_S)
    chop, expected, kinds = np.ones(COLUMNS, int), start.copy(), set()
    for _ in range(4):
        allowed = np.zeros((ROWS, COLUMNS), bool)
        for _ in range(3):
            x, delta = rng.uniform(-1, 1, ROWS), rng.uniform(-1, 1, COLUMNS) * (rng.random(COLUMNS) > 0.2)
            before = synapses.noted
            synapses.note(x, delta)
            # A cell that has noted keeps it.
            assert (synapses.noted >= before).all()
            allowed |= -np.outer(x, delta) * chop > 0
        noted = synapses.noted.copy()
        assert not noted[~allowed].any()
        np.testing.assert_array_equal(synapses.counters, expected)
        for j in range(COLUMNS):
            synapses.transfer(j)
            expected[:, j] = np.clip(expected[:, j] + chop[j] * noted[:, j], -half, half - 1)
            # Columns still to come keep their notes.
            np.testing.assert_array_equal(synapses.noted, np.where(np.arange(COLUMNS) > j, noted, 0))
            # A strong pulse fails once in 3 million.
            np.testing.assert_array_equal(synapses.counters, expected)
        chop *= -1
        np.testing.assert_array_equal(synapses.chop, chop)
        kinds |= set((noted * chop).ravel().tolist())
    # Both signs were counted.
    assert kinds == {-1, 0, 1}


def test_the_training_kernel_transfers_alike(model: ArrayModel) -> None:
    bits, half, rng = 3, 4, np.random.default_rng(5)
    device = write_device(model)
    blank = Cells.nominal(model.parameters, np.zeros((ROWS, COLUMNS)), model.array.r_short_ohm)
    start = np.array([[-4, 3, -1], [0, -4, 3]])
    chop = np.array([1, -1, 1])
    synapses = CounterSynapses(on_surrogate(rng), model, start, bits, T_STRONG_S)
    synapses.chop[:] = chop
    for _ in range(2):
        synapses.note(np.ones(ROWS), -chop.astype(float))
    assert synapses.noted.sum() > 3
    held = start + half
    layer = _Layer(
        noted=ideal_array(model, device, blank.with_state(synapses.noted)),
        weight=ideal_array(model, device, blank.with_state(held >> (bits - 1))),
        low=np.ascontiguousarray((held % half).T, dtype=np.int16),
        second_weight_of=np.zeros((2, COLUMNS, ROWS), np.float32),
        bits=bits,
        fails=np.zeros((bits + 1, 2, COLUMNS, ROWS), np.float32),
        reads_p=np.zeros((COLUMNS, ROWS), np.int16),
        reads_ap=np.zeros((COLUMNS, ROWS), np.int16),
        chop=chop.astype(np.int8),
        eta=0.0,
        trains=True,
    )
    for j in range(COLUMNS):
        _transfer(rng, layer, j, np.zeros(7, np.int64))
        synapses.transfer(j)
    np.testing.assert_array_equal(synapses.counters, (layer.low + half * layer.weight.state.astype(int)).T - half)
    np.testing.assert_array_equal(synapses.noted, layer.noted.state.T)
    np.testing.assert_array_equal(synapses.chop, layer.chop)


def test_updates_are_noted_as_often_as_the_training_kernel_has_it(model: ArrayModel) -> None:
    """A false alarm once in a thousand seeds (binomial, Bonferroni over the cells); the seed is fixed."""
    runs, x, delta = 100, np.array([1.0, 0.6]), np.array([-0.9, 0.7, -0.3])
    arrays: list[SurrogateArray] = []

    def new_array(model: ArrayModel, cells: Cells, number: int) -> SurrogateArray:
        arrays.append(SurrogateArray(model, cells, np.random.default_rng(number)))
        return arrays[-1]

    bits = 2
    synapses = CounterSynapses(new_array, model, np.zeros((ROWS, COLUMNS), int), bits, T_STRONG_S)
    synapses.chop[:] = -np.sign(delta)
    noting, blank = arrays[bits], arrays[bits].cells
    counts = np.zeros((ROWS, COLUMNS), int)
    for _ in range(runs):
        synapses.note(x, delta)
        counts += synapses.noted
        noting.cells = blank
    device = write_device(model)
    for (i, j), count in np.ndenumerate(counts):
        p = -np.expm1(-nominal_rate(device, 0, x[i], abs(delta[j])))
        assert binomtest(count, runs, p).pvalue > 1e-3 / counts.size


def test_strong_pulses_hardly_ever_fail(model: ArrayModel) -> None:
    cells = Cells.nominal(model.parameters, np.zeros((1, 1)), model.array.r_short_ohm)
    assert failure_probability(model, cells, T_STRONG_S).max() < 1e-6


def test_counters_out_of_range(model: ArrayModel) -> None:
    with pytest.raises(InputError, match="counter is out of range"):
        CounterSynapses(on_surrogate(np.random.default_rng(1)), model, np.array([[2]]), 2, T_STRONG_S)

"""The paper's rule on 1R arrays: layers on several arrays, and going on."""

from itertools import pairwise

import numpy as np
import pytest
from problems import sparse_problem

from mtjspice.cards.array import Architecture
from mtjspice.cards.training import PerSample, Switching
from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.large_write import cell_arrays, large_device, write_cells
from mtjspice.surrogate.model import ArrayModel, load_model
from mtjspice.training.cut_layers import row_starts
from mtjspice.training.layers import backward, forward, new_signals
from mtjspice.training.per_sample_1r import PerSampleOneRRule
from mtjspice.training.rule import Hardware, Tally

# Compiling the kernels alone takes a minute.
pytestmark = pytest.mark.slow

SAMPLES = 40


@pytest.fixture(scope="module")
def one_r() -> ArrayModel:
    return load_model(Architecture.ONE_R)


def rule_of(model: ArrayModel, array_rows: int | None, percent: float = 0.0) -> PerSampleOneRRule:
    hardware = Hardware(model, 2, percent, Switching.PHYSICAL, array_rows=array_rows)
    settings = PerSample(epochs=1, bias_rows=(1, 2))
    return PerSampleOneRRule(sparse_problem(SAMPLES), hardware, settings, np.random.default_rng(2))


def trained(rule: PerSampleOneRRule) -> Tally:
    return rule.epoch(np.arange(SAMPLES), np.random.default_rng(3))


def test_arrays_are_written_each_on_its_own(one_r: ArrayModel) -> None:
    """Layers of 10 and 8 rows on two arrays each, beside arrays that know of no layer; all cells are nominal."""
    rule, problem = rule_of(one_r, 5), sparse_problem(SAMPLES)
    starts = [row_starts(rows, 5) for rows, _ in problem.network.shapes]
    parts = [
        [Cells.nominal(one_r.parameters, state[a:b], one_r.array.r_short_ohm) for a, b in pairwise(cuts)]
        for state, cuts in zip(rule.cell_states(), starts, strict=True)
    ]
    arrays = [[cell_arrays(cells) for cells in layer] for layer in parts]
    rng, signals = np.random.default_rng(3), new_signals(problem.network.shapes)
    flips, false_flips = 0, 0
    for x, aim in zip(problem.x, problem.targets, strict=True):
        weights = tuple(
            (2 * np.concatenate([array.state.T for array in layer]).astype(np.float32) - 1) for layer in arrays
        )
        forward(weights, problem.scales, x, signals)
        backward(weights, problem.scales, aim, signals)
        for n, layer in enumerate(arrays):
            for (a, b), cells, array in zip(pairwise(starts[n]), parts[n], layer, strict=True):
                level, width = signals.x[n][a:b].astype(float), signals.delta[n].astype(float)
                places, _ = write_cells(rng, large_device(one_r, cells), array, level, width, 2, False, False)
                false_flips += places[:, 2].sum()
                flips += len(places) - places[:, 2].sum()
    tally = trained(rule)
    for ours, theirs in zip(rule.cell_states(), arrays, strict=True):
        np.testing.assert_array_equal(ours, np.concatenate([array.state.T for array in theirs]))
    assert (tally.flips, tally.false_flips) == (flips, false_flips)
    assert min(flips, false_flips) > 0


@pytest.mark.parametrize("percent", [0.0, 10.0])
def test_layers_that_fit_are_not_cut(one_r: ArrayModel, percent: float) -> None:
    whole, fitting = rule_of(one_r, None, percent), rule_of(one_r, 10, percent)
    assert trained(whole) == trained(fitting)
    for name, states in whole.state().items():
        np.testing.assert_array_equal(fitting.state()[name], states)
    for ours, theirs in zip(whole.weights(), fitting.weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_cuts_leave_the_start_as_it_is(one_r: ArrayModel) -> None:
    """Runs that differ in nothing but their arrays start from the same cells."""
    for whole, cut in zip(rule_of(one_r, None, 10.0).weights(), rule_of(one_r, 3, 10.0).weights(), strict=True):
        np.testing.assert_array_equal(cut, whole)


def test_one_row_has_no_way_around(one_r: ArrayModel) -> None:
    """Columns that are not selected float at the row's level: their cells see nothing."""
    tally = trained(rule_of(one_r, 1))
    assert tally.flips > 0
    assert tally.false_flips == 0


def test_it_goes_on_where_it_stopped(one_r: ArrayModel) -> None:
    whole, first, second = (rule_of(one_r, 4, 10.0) for _ in range(3))
    half, rest = np.arange(SAMPLES // 2), np.arange(SAMPLES // 2, SAMPLES)
    second.epoch(rest, np.random.default_rng(0))
    first.epoch(half, np.random.default_rng(7))
    second.restore({name: np.copy(values) for name, values in first.state().items()})
    whole.epoch(half, np.random.default_rng(7))
    assert whole.epoch(rest, np.random.default_rng(8)).flips > 0
    second.epoch(rest, np.random.default_rng(8))
    for name, states in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], states)
    for ours, theirs in zip(whole.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)

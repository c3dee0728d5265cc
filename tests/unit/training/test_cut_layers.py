"""Layers on several arrays: where they are cut, and that the arrays are the layer."""

from itertools import pairwise

import numpy as np
import pytest

from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.large_write import cell_arrays
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.cut_layers import array_of, cut_layer, row_starts, set_states, states_of


@pytest.mark.parametrize(
    ("rows", "most", "starts"),
    [
        (10, None, [0, 10]),
        (10, 11, [0, 10]),
        (10, 10, [0, 10]),
        (10, 9, [0, 5, 10]),
        (11, 4, [0, 3, 7, 11]),
        (785, 196, [0, 157, 314, 471, 628, 785]),
        (3, 1, [0, 1, 2, 3]),
    ],
)
def test_arrays_are_few_and_nearly_equal(rows: int, most: int | None, starts: list[int]) -> None:
    np.testing.assert_array_equal(row_starts(rows, most), starts)


def test_arrays_are_row_ranges_of_the_layer(model: ArrayModel) -> None:
    rng = np.random.default_rng(1)
    state = rng.integers(0, 2, (7, 3))
    cells = Cells.nominal(model.parameters, state, model.array.r_short_ohm).varied(10.0, rng)
    whole, layer = cell_arrays(cells), cut_layer(cells, 3)
    np.testing.assert_array_equal(states_of(layer), state)
    for k, (first, end) in enumerate(pairwise(layer.starts)):
        for ours, theirs in zip(array_of(layer, k), whole, strict=True):
            np.testing.assert_array_equal(ours, theirs[:, first:end])
    set_states(layer, 1 - state)
    np.testing.assert_array_equal(states_of(layer), 1 - state)
    turned = cell_arrays(cells.with_state(1 - state))
    np.testing.assert_array_equal(array_of(layer, 2).low_s, turned.low_s[:, 4:])

"""What reads make of weights on a die: faults one by one, and wires."""

from dataclasses import replace

import numpy as np
import pytest

from mtjspice.cards.array import Architecture
from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.die_drawing import draw_die
from mtjspice.crossbar.dies import Die
from mtjspice.surrogate.die_weights import class_map, die_parts, wired_weights
from mtjspice.surrogate.read_model import ReadModel

SHAPES = ((6, 8), (4, 6))


def drawn(model: ReadModel, rate: float = 0.4) -> Die:
    statistics = load_die_statistics("borders2024").at_rate(rate)
    return draw_die(statistics, model.parameters, model.array.r_short_ohm, SHAPES, np.random.default_rng(4), "one")


def weights_of(die: Die) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(5)
    return tuple(rng.choice((-1, 1), (rows, columns // 2)).astype(np.int8) for rows, columns in die.shapes)


def with_wires(model: ReadModel, r_segment_ohm: float) -> ReadModel:
    wires = model.array.wires.model_copy(update={"r_segment_ohm": r_segment_ohm})
    return replace(model, array=model.array.model_copy(update={"wires": wires}))


def test_a_die_without_faults_has_the_weights_themselves(select1500: ReadModel) -> None:
    cells = tuple(Cells.nominal(select1500.parameters, np.zeros(shape), 250.0) for shape in SHAPES)
    for a, b in die_parts(select1500, Die("nominal", cells)):
        np.testing.assert_allclose(a, 1, rtol=1e-6)
        np.testing.assert_allclose(b, 0, atol=1e-6)


def test_a_short_weighs_what_it_conducts_behind_its_select(select1500: ReadModel) -> None:
    cells = Cells.nominal(select1500.parameters, np.zeros((2, 4)), 250.0).with_defects(shorts=[(1, 2)])
    ((a, b),) = die_parts(select1500, Die("short", (cells,)))
    g_p, g_ap = select1500.cell_conductances_s
    g_short = 1 / (250 + 1500)
    assert a[1, 1] + b[1, 1] == pytest.approx((g_short - g_ap) / (g_p - g_ap), rel=1e-6)
    assert b[1, 1] - a[1, 1] == pytest.approx((g_short - g_p) / (g_p - g_ap), rel=1e-6)
    assert a[1, 1] == pytest.approx(0.5, rel=1e-6)
    assert b[1, 1] > 4  # a short outweighs several healthy pairs
    assert np.delete(a.ravel(), 3) == pytest.approx(1, rel=1e-6)


def test_every_pair_is_the_difference_of_its_cells_as_they_are_written(select1500: ReadModel) -> None:
    die = drawn(select1500)
    assert all(die.defects.values())
    g_p, g_ap = select1500.cell_conductances_s
    for cells, weights, (a, b) in zip(die.arrays, weights_of(die), die_parts(select1500, die), strict=True):
        for i, j in np.ndindex(weights.shape):
            g = []
            for place, wanted in (((i, 2 * j), weights[i, j] == 1), ((i, 2 * j + 1), weights[i, j] == -1)):
                parallel = cells.state[place] if cells.defect[place] == Defect.STUCK else wanted
                bias = 1 + (select1500.array.read.v_read_v / cells.v_h_v) ** 2
                r = cells.r_p_ohm[place] * (1 if parallel else 1 + cells.tmr0[place] / bias)
                r = {Defect.SHORT: cells.r_short_ohm, Defect.OPEN: np.inf}.get(Defect(cells.defect[place]), r)
                g.append(1 / (r + select1500.array.switches.r_on_ohm))
            # Single precision of parts of up to 5.
            assert a[i, j] * weights[i, j] + b[i, j] == pytest.approx((g[0] - g[1]) / (g_p - g_ap), abs=2e-6)


def test_wires_of_no_resistance_change_nothing(select1500: ReadModel) -> None:
    die = drawn(select1500)
    weights = weights_of(die)
    expected = [a * w + b for (a, b), w in zip(die_parts(select1500, die), weights, strict=True)]
    for seen, wanted in zip(wired_weights(select1500, die, weights), expected, strict=True):
        assert seen.dtype == np.float32
        np.testing.assert_allclose(seen, wanted, atol=3e-6)


def test_wires_take_from_the_far_cells_most(select1500: ReadModel) -> None:
    """The last row is nearest to the sense amplifiers, the first column to the drivers."""
    cells = Cells.nominal(select1500.parameters, np.zeros((20, 12)), 250.0)
    die, weights = Die("nominal", (cells,)), (np.ones((20, 6), np.int8),)
    (seen,) = wired_weights(with_wires(select1500, 2.0), die, weights)
    assert (seen < 1).all()
    assert (np.diff(seen, axis=0) > 0).all()
    assert (np.diff(seen, axis=1) < 0).all()


def test_a_map_of_defects_knows_no_resistances(select1500: ReadModel) -> None:
    die = drawn(select1500)
    known = class_map(select1500, die)
    assert known.name == die.name
    assert known.defects == die.defects
    for cells, original in zip(known.arrays, die.arrays, strict=True):
        np.testing.assert_array_equal(cells.defect, original.defect)
        stuck = original.defect == Defect.STUCK
        np.testing.assert_array_equal(cells.state[stuck], original.state[stuck])
        assert set(cells.r_p_ohm.ravel()) == {select1500.parameters.r_p_ohm}
        assert set(cells.tmr0.ravel()) == {select1500.parameters.tmr0}
        assert original.r_p_ohm.std() > 0
    for (a, b), cells in zip(die_parts(select1500, known), die.arrays, strict=True):
        healthy = cells.switches[:, 0::2] & cells.switches[:, 1::2]
        np.testing.assert_allclose(a[healthy], 1, rtol=1e-6)
        np.testing.assert_allclose(b[healthy], 0, atol=1e-6)


def test_without_transistors_a_short_is_all_that_its_column_sees(select1500: ReadModel) -> None:
    """28 weights by the cards' resistances: (1/250 - (G_P + G_AP)/2)/(G_P - G_AP), nothing in series."""
    model = replace(select1500, architecture=Architecture.ONE_R)
    cells = Cells.nominal(model.parameters, np.zeros((2, 4)), 250.0).with_defects(shorts=[(1, 2)])
    ((a, b),) = die_parts(model, Die("one short", (cells,)))
    bias = 1 + (model.array.read.v_read_v / cells.v_h_v) ** 2
    g_p = 1 / model.parameters.r_p_ohm
    g_ap = g_p / (1 + model.parameters.tmr0 / bias)
    assert b[1, 1] == pytest.approx((1 / 250 - (g_p + g_ap) / 2) / (g_p - g_ap), rel=1e-6)
    assert a[1, 1] == pytest.approx(0.5, rel=1e-6)
    assert np.delete(a.ravel(), 3) == pytest.approx(1, rel=1e-6)
    assert np.delete(b.ravel(), 3) == pytest.approx(0, abs=1e-6)

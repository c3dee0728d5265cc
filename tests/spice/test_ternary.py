"""Ternary synapses in SPICE and on the surrogate: a small part of `mtjspice cosim --arch ternary`, with fixed seeds."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from mtjspice.cards.conventions import Direction
from mtjspice.cosim.compare_step import LEAST_P, MOST_READ_ERROR, MOST_SIGMA
from mtjspice.cosim.statistics import compare
from mtjspice.cosim.ternary import UpdateTask, compare_update, read_errors, run_update
from mtjspice.cosim.ternary_decks import TernaryStep, write_ternary_decks
from mtjspice.cosim.ternary_energy import spice_energies
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.jobs.seeds import generator
from mtjspice.spice.simulate import simulate_deck
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.ternary_cell import expected_update, line_levels
from mtjspice.ternary_schedule import ternary_update_schedule

pytestmark = pytest.mark.spice


def silent(title: str) -> AbstractContextManager[Callable[[int, int], None]]:
    return nullcontext(lambda done, total: None)


def test_reads_are_proportional_to_input_and_weight(model: ArrayModel) -> None:
    surrogate, linear = read_errors(model, (3, 2), 1)
    assert surrogate < MOST_READ_ERROR
    # A transistor on the line's side conducts a few percent less on the positive line than on the negative one, and it
    # is a twentieth of a junction: some 1 % of W = 1 for each sign.
    assert linear < 0.02


def test_energies_are_the_junctions_and_their_switches(model: ArrayModel) -> None:
    for energy in spice_energies(model):
        # Switches take 2-5 % of the voltage; edges and what they charge come on top.
        assert 0.9 < energy.lines_j / energy.formula_j < 1.1
        assert 0 < energy.gates_j < 10e-15


@pytest.mark.slow
def test_decks_for_people_run_and_measure(model: ArrayModel, tmp_path: Path) -> None:
    step = TernaryStep(np.array([[1], [0], [0], [1]]), np.array([1, -1]), np.array([[-1.6e-9], [1.5e-9]]))
    read, update = write_ternary_decks(model, step, 0.0, tmp_path, generator(1, ()))
    # x W is 1 in both rows: 2 x 12.8 uA, as a nominal read has it, within what transistors do to it.
    found = simulate_deck(read, time_limit_s=60).measurements
    assert found["i(vsense1)"] == pytest.approx(2 * 12.8e-6, rel=0.02)
    found = simulate_deck(update, time_limit_s=60).measurements
    assert 0.3e-12 < found["e_step"] < 0.8e-12


@pytest.mark.slow
def test_updates_follow_the_cell_surface_in_every_case(model: ArrayModel) -> None:
    found, lost = compare_update(
        model, 0.25, 2.5e-9, 40, seed=1, executor=LocalExecutor(1), checkpoint=None, progress=silent
    )
    assert not lost
    # One test at p > 0.01 and 4 sigma: a false alarm in a hundred seeds, and this seed is fixed.
    assert found.flips.p_value > LEAST_P
    assert found.flips.worst_sigma < MOST_SIGMA
    # Three weights, W = 0 in two ways, three signs, two junctions; what is not driven out of its state never switches.
    assert len(found.cases) == 24
    assert {(case.weight, case.sign) for case in found.cases} == {(w, s) for w in (-1, 0, 1) for s in (-1, 0, 1)}
    assert sum(case.switched for case in found.cases if not case.driven_out) == 0
    assert sum(case.switched for case in found.cases) > 20
    # A wrong surface, of a current instead of a voltage that is held, is rejected: it has a third of AP->P's.
    of_ap = [case for case in found.cases if case.driven_out and case.direction is Direction.AP_TO_P]
    wrong = [model.surfaces[Direction.AP_TO_P].at(case.v_junction_v, 2.5e-9, np.inf) for case in of_ap]
    assert binomtest(sum(case.switched for case in of_ap), 40 * len(of_ap), float(np.mean(wrong))).pvalue < 1e-3
    # The surrogate's junctions keep their resistance: 3 % at these probabilities.
    assert abs(found.energy_error) < 0.03


@pytest.mark.slow
def test_an_array_is_updated_row_after_row(model: ArrayModel) -> None:
    """Gates are on in rows that are not being written too: their junctions stay as they are."""
    rng = generator(4, ())
    cells = Cells.nominal(model.parameters, rng.integers(0, 2, (4, 3)), model.array.r_short_ohm)
    width_s = np.array([[2.5e-9, -2.2e-9, 0.0], [-2.5e-9, 0.0, 2.0e-9]])
    schedule = ternary_update_schedule(width_s, line_levels(model, 0.25), model.array)
    found = [run_update(UpdateTask(model.device, schedule, cells, 5, (k,)))["state"] for k in range(25)]
    changed = (np.array(found) != cells.state).reshape(25, -1)
    probability = expected_update(model, schedule, cells).probability.ravel()
    assert not changed[:, probability == 0].any()
    flips = compare(changed, rng.random((1000, probability.size)) < probability, rng)
    assert changed.any()
    # One test at p > 0.01 and 4 sigma; this seed is fixed.
    assert flips.p_value > LEAST_P
    assert flips.worst_sigma < MOST_SIGMA


def test_a_level_below_the_bulk_is_refused(model: ArrayModel, tmp_path: Path) -> None:
    step = TernaryStep(np.array([[1], [0]]), np.array([1]), np.array([[1.5e-9]]))
    with pytest.raises(InputError, match="lower the levels"):
        write_ternary_decks(model, step, 0.5, tmp_path, generator(1, ()))

"""A write on the exact network: its energy by hand, which cells never flip, and repeatability."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from mtjspice.calibration.drive import CellDrive
from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.jobs.progress import progress
from mtjspice.schedule import Schedule, write_schedule
from mtjspice.surrogate.exact_write import ExactWriter, WriteOutcome, gate_energy_j
from mtjspice.surrogate.model import ArrayModel, array_model


@pytest.fixture(scope="module", params=Architecture)
def model(request: pytest.FixtureRequest, mondal: JunctionCard) -> ArrayModel:
    return array_model(request.param, mondal, load_array("array45"), load_campaign("table3").targets, progress=progress)


def cells_of(model: ArrayModel, state: np.ndarray) -> Cells:
    return Cells.nominal(model.parameters, state, model.array.r_short_ohm)


def schedule_of(model: ArrayModel, x: np.ndarray, delta: np.ndarray) -> Schedule:
    return write_schedule(x, delta, model.drive, model.architecture, model.array, model.architecture.phases[0])


def write(model: ArrayModel, x: np.ndarray, delta: np.ndarray, cells: Cells, seed: int = 1) -> WriteOutcome:
    return writes(model, x, delta, cells, [seed])[0]


def writes(
    model: ArrayModel, x: np.ndarray, delta: np.ndarray, cells: Cells, seeds: Iterable[int]
) -> list[WriteOutcome]:
    """Return a write's outcome for each seed, always on the same cells."""
    writer, schedule = ExactWriter(model, cells.state.shape), schedule_of(model, x, delta)
    return [writer.write(schedule, cells, np.random.default_rng(seed)) for seed in seeds]


def test_energy_of_a_write_without_flips_is_v_i_t(mondal: JunctionCard) -> None:
    """1T1R with ideal switches and wires: every selected cell is R_P and its switch, in series to a line at rest."""
    card = load_array("array45")
    r_on_ohm = 100.0
    card = card.model_copy(update={"wires": card.wires.model_copy(update={"r_segment_ohm": 0.0})})
    targets = load_campaign("table3").targets
    shipped = array_model(Architecture.ONE_T_ONE_R, mondal, card, targets, progress=progress)
    cycle_j_per_m = 1e-9
    table = replace(SwitchTable.ideal(r_on_ohm * card.switches.select_width_m), cycle_j_per_m=cycle_j_per_m)
    drive = CellDrive(shipped.architecture, card, table, shipped.drive.coefficients)
    model = replace(shipped, table=table, drive=drive)
    cells = cells_of(model, np.ones((3, 4))).with_defects(stuck=[(i, j) for i in range(3) for j in range(4)])
    x, delta = np.array([1.0, -0.4, 0.0]), np.array([0.7, -0.2, 0.0, 1.0])
    outcome = write(model, x, delta, cells)
    assert not outcome.flips.any()
    # A column of delta is selected in one phase, for t0 + t1 |delta|; rows of that phase are at the sign of x delta.
    cell_s = 1 / (model.parameters.r_p_ohm + r_on_ohm)
    width_m = card.switches.select_width_m * 3
    by_hand = 3 * width_m * cycle_j_per_m
    for phase, columns in zip(schedule_of(model, x, delta).phases, ([0, 3], [1]), strict=True):
        power_w = float((phase.row_v**2).sum()) * cell_s
        selected_s = (drive.t0_s + drive.t1_s * np.abs(delta[columns])).sum()
        # The selection begins in the middle of the drivers' edge: from there the energy of a linear voltage is
        # 7/24 of an edge's at full power, where half an edge would have been counted.
        by_hand += power_w * (selected_s - len(columns) * (1 / 2 - 7 / 24) * card.timing.edge_s)
    assert outcome.energy_j == pytest.approx(by_hand, rel=1e-9)
    assert outcome.duration_s == pytest.approx(2 * (drive.t0_s + drive.t1_s + card.timing.gap_s) + card.timing.edge_s)


def test_phases_without_a_driven_row_cost_gates_only(model: ArrayModel) -> None:
    x, delta = np.zeros(3), np.array([1.0, -0.5, 0.0])
    outcome = write(model, x, delta, cells_of(model, np.eye(3)))
    gates = sum(gate_energy_j(model, phase) for phase in schedule_of(model, x, delta).phases)
    assert outcome.energy_j == pytest.approx(gates, rel=1e-12)
    assert gates > 0
    assert not outcome.flips.any()


def test_without_an_error_nothing_flips(model: ArrayModel) -> None:
    cells = cells_of(model, np.indices((4, 4)).sum(axis=0) % 2)
    for outcome in writes(model, np.array([1.0, -1.0, 0.5, 0.0]), np.zeros(4), cells, range(10)):
        assert not outcome.flips.any()
        np.testing.assert_array_equal(outcome.state, cells.state)


def test_one_seed_has_one_outcome(model: ArrayModel) -> None:
    x, delta = np.array([1.0, -0.9]), np.array([0.8, -1.0])
    cells = cells_of(model, np.array([[1, 0], [0, 1]]))
    first, second = write(model, x, delta, cells, 7), write(model, x, delta, cells, 7)
    np.testing.assert_array_equal(first.flips, second.flips)
    assert first.energy_j == second.energy_j
    # Nor does it depend on what the writer solved before.
    third = writes(model, x, delta, cells, [3, 7])[1]
    np.testing.assert_array_equal(first.flips, third.flips)
    assert third.energy_j == pytest.approx(first.energy_j, rel=1e-9)
    others = writes(model, x, delta, cells, range(8))
    assert any((outcome.flips != first.flips).any() for outcome in others)


def test_flips_and_states_agree_and_energy_is_drawn(model: ArrayModel) -> None:
    rng = np.random.default_rng(6)
    for seed in range(4):
        x, delta = rng.uniform(-1, 1, size=(2, 3))
        cells = cells_of(model, rng.integers(0, 2, size=(3, 3)))
        outcome = write(model, x, delta, cells, seed)
        np.testing.assert_array_equal(outcome.state, (cells.state + outcome.flips) % 2)
        assert outcome.energy_j >= 0
        assert outcome.duration_s == schedule_of(model, x, delta).stop_s


def test_defective_cells_never_flip(model: ArrayModel) -> None:
    cells = cells_of(model, np.zeros((2, 3))).with_defects(stuck=[(0, 0)], opens=[(0, 1)], shorts=[(0, 2)])
    # AP -> P: at the levels of P -> AP a short drives its select transistor out of its table.
    flips = sum(outcome.flips for outcome in writes(model, np.ones(2), -np.ones(3), cells, range(25)))
    assert not flips[0].any()
    # The sound row's cells do; where a short shares a column's transistor, it may leave the others too little.
    assert (flips[1, :2] > 0).all()


def test_a_cell_of_higher_resistance_flips_less_often(model: ArrayModel) -> None:
    """1 x 6 cells at full drive, 50 writes; odd columns have 10 % more ohms, so 10 % less current."""
    cells = cells_of(model, np.ones((1, 6)))
    cells = replace(cells, r_p_ohm=cells.r_p_ohm * np.where(np.arange(6) % 2, 1.1, 1.0))
    flips = sum(outcome.flips[0] for outcome in writes(model, np.ones(1), np.full(6, 0.5), cells, range(50)))
    nominal, higher = flips[::2].sum(), flips[1::2].sum()
    # P falls by more than a half. Four standard errors of the difference of two counts.
    assert nominal > 0
    assert nominal - higher > 4 * np.sqrt(higher + 1)

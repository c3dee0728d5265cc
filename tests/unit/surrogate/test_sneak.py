"""Sneak paths: Kirchhoff's and Tellegen's laws, the paper's section 4.4, and what a bias leaves on unselected cells."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mtjspice.cards.array import Architecture, SwitchKind, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.jobs.progress import progress
from mtjspice.schedule import Phase, write_schedule
from mtjspice.surrogate.model import ArrayModel, array_model
from mtjspice.surrogate.sneak import Bias, Kind, PaperCase, biasing_comparison, paper_comparison, sneak_report

SWITCH = 1e-5
"""Relative error of voltages by switches of a milliohm a cell beside junctions of 4880 ohm, with a margin of 30."""


def perfect_model(architecture: Architecture, card: JunctionCard) -> ArrayModel:
    """An array without wires, and with switches of nearly no resistance."""
    array = load_array("array45")
    array = array.model_copy(
        update={
            "wires": array.wires.model_copy(update={"r_segment_ohm": 0.0}),
            "switches": array.switches.model_copy(update={"kind": SwitchKind.IDEAL, "r_on_ohm": 1e-3}),
        }
    )
    return array_model(architecture, card, array, load_campaign("table3").targets, progress=progress)


@pytest.fixture(scope="module")
def model(mondal: JunctionCard) -> ArrayModel:
    return perfect_model(Architecture.ONE_R, mondal)


@pytest.fixture(scope="module")
def cases(model: ArrayModel) -> tuple[PaperCase, ...]:
    return paper_comparison(model, np.random.default_rng(1))


def signs(count: int, positive: int) -> np.ndarray:
    return np.where(np.arange(count) < positive, 1.0, -1.0)


def random_cells(model: ArrayModel, rows: int, columns: int) -> Cells:
    state = np.random.default_rng(5).integers(0, 2, (rows, columns))
    return Cells.nominal(model.parameters, state, model.array.r_short_ohm)


def phase_of(model: ArrayModel, x: np.ndarray, delta: np.ndarray, phases: int, number: int = 0) -> Phase:
    return write_schedule(x, delta, model.drive, model.architecture, model.array, phases).phases[number]


def by_kind(model: ArrayModel, cells: Cells, phase: Phase, bias: Bias = Bias.FLOATING) -> dict[Kind, float]:
    """Mean |V| over the phase's level."""
    report = sneak_report(model, cells, phase, bias)
    return {summary.kind: summary.mean_v / report.level_v for summary in report.kinds}


def test_no_current_is_left_on_a_floating_line(model: ArrayModel) -> None:
    phase = phase_of(model, signs(6, 3), signs(8, 4), 4)
    report = sneak_report(model, random_cells(model, 6, 8), phase)
    left_a = np.concatenate((report.i_a[3:].sum(axis=1), report.i_a[:, 4:].sum(axis=0)))
    # The network's leak of 0.1 pS and its tolerance of 0.1 nV on junctions of 0.2 mS: well below a picoampere.
    assert np.abs(left_a).max() < 1e-12
    assert np.abs(report.i_a[:3, :4]).min() > 1e-5  # what is meant does flow


def test_half_of_rows_and_columns_selected_leave_a_third(model: ArrayModel) -> None:
    found = by_kind(model, random_cells(model, 32, 32), phase_of(model, signs(32, 16), signs(32, 16), 4))
    # Conductances scatter by 45 % around their mean, the mean of 16 x 16 by 2.8 %: 0.009 of a third; four sigma.
    assert found == {kind: pytest.approx(1 / 3, abs=0.035) for kind in Kind}
    # And they are the three voltages of one loop.
    assert sum(found.values()) == pytest.approx(1, rel=SWITCH)


def test_few_driven_rows_leave_most_of_v_on_their_cells(model: ArrayModel) -> None:
    """Images with 82 % zero pixels: the floating columns follow the many floating rows, not the few driven ones."""
    x = np.where(np.arange(100) < 18, 1.0, 0.0)
    found = by_kind(model, random_cells(model, 100, 60), phase_of(model, x, signs(60, 30), 4))
    # With equal cells and a share p driven, p/(1 - (1 - p)/2) of V is on the columns: 0.695 is left. The scatter of
    # 18 x 30 cells, as above.
    assert found[Kind.ROW] == pytest.approx(0.695, abs=0.03)


def test_two_rows_of_opposite_sign_drive_a_current_through_a_floating_column(model: ArrayModel) -> None:
    """Fig. 5(b) of the paper: S21 and S22 in series between V_P and V_AP."""
    phase = phase_of(model, signs(2, 1), signs(2, 1), 2)
    report = sneak_report(model, random_cells(model, 2, 2), phase)
    v_p, v_ap = phase.row_v
    assert v_ap < 0 < v_p
    assert report.v_v[0, 1] - report.v_v[1, 1] == pytest.approx(v_p - v_ap, rel=SWITCH)
    assert report.i_a[0, 1] == pytest.approx(-report.i_a[1, 1], rel=1e-6)


def test_worst_cases_of_the_paper(cases: tuple[PaperCase, ...]) -> None:
    """V_P - V_AP and V_P are limits of many rows; equal cells of n = 32 rows are 1/n below them."""
    worst = {(case.phases, case.direction): case for case in cases if case.case == "worst"}
    # Equal cells: the column is at V_AP + (V_P - V_AP)/n, and with four phases at V p/(1 - (1 - p)/n) with p = 1/n.
    assert worst[2, Direction.P_TO_AP].ratio == pytest.approx(1 - 1 / 32, rel=SWITCH)
    assert worst[4, Direction.P_TO_AP].ratio == pytest.approx(1 - (1 / 32) / (1 - 31 / 32**2), rel=SWITCH)
    # An antiparallel cell at risk conducts less than its neighbours, so that more of the voltage is on it.
    for phases in (2, 4):
        assert worst[phases, Direction.P_TO_AP].ratio < worst[phases, Direction.AP_TO_P].ratio < 1
    # "Can still result in false switching": not rare in any of them.
    assert min(case.probability for case in worst.values()) > 0.1


def test_average_cases_of_the_paper(cases: tuple[PaperCase, ...]) -> None:
    average = {(case.phases, case.direction): case for case in cases if case.case == "average"}
    assert set(average) == {(2, Direction.P_TO_AP), (4, Direction.P_TO_AP), (4, Direction.AP_TO_P)}
    for case in average.values():
        # By the loop alone, up to the switches.
        assert case.ratio == pytest.approx(1, rel=SWITCH)
        # By the network; the scatter of 16 x 16 cells, as above, of a third.
        assert case.parts_v == pytest.approx(np.full(len(case.parts_v), case.paper_v), rel=0.1)
    # "Some probability" with two phases, "no potential to cause undesired switching" with four.
    assert average[2, Direction.P_TO_AP].probability > 0.05
    assert max(average[4, direction].probability for direction in Direction) < 1e-4


@pytest.mark.parametrize(
    ("bias", "expected"),
    [
        (Bias.HALF, {Kind.ROW: 1 / 2, Kind.COLUMN: 1 / 2, Kind.NEITHER: 0.0}),
        (Bias.THIRD, {Kind.ROW: 1 / 3, Kind.COLUMN: 1 / 3, Kind.NEITHER: 1 / 3}),
    ],
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_bias_leaves_what_its_name_says(
    model: ArrayModel, bias: Bias, expected: dict[Kind, float], number: int
) -> None:
    """Whatever the states and the number of selected lines, and for either sign of the write voltage."""
    phase = phase_of(model, signs(6, 2), signs(8, 5), 4, number)
    found = by_kind(model, random_cells(model, 6, 8), phase, bias)
    assert found == {kind: pytest.approx(share, abs=SWITCH) for kind, share in expected.items()}


def test_v_3_turns_cells_between_unselected_lines_around(model: ArrayModel) -> None:
    report = sneak_report(
        model, random_cells(model, 4, 4), phase_of(model, signs(4, 2), signs(4, 2), 4), Bias.THIRD
    )  # fmt: skip
    assert (report.v_v[2:, 2:] < 0).all()
    assert (report.v_v[:2] > 0).all()


def test_false_flips_are_those_of_the_cell_surface(model: ArrayModel) -> None:
    """V/2 drives the half-selected cells by voltage: their parallel ones go AP, within the phase, no others."""
    cells = random_cells(model, 4, 4).with_defects(stuck=[(0, 2)])
    phase = phase_of(model, signs(4, 2), signs(4, 2), 4)
    report = sneak_report(model, cells, phase, Bias.HALF)
    half_selected = np.kron([[0, 1], [1, 0]], np.ones((2, 2), dtype=int)) == 1
    flips = half_selected & (cells.state == 1) & cells.switches
    one = float(model.surfaces[Direction.P_TO_AP].at(report.level_v / 2, phase.duration_s, 0.0))
    # P rises steeply here, by up to V^30: 30 times the switches' error, and as much again by their series resistance.
    assert report.probability[flips] == pytest.approx(np.full(flips.sum(), one), rel=60 * SWITCH)
    assert report.probability[~flips].max() < 1e-12
    assert report.expected_false_flips == report.probability.sum()


def test_energy_is_what_the_junctions_turn_into_heat(model: ArrayModel) -> None:
    """Tellegen, with columns that supply and take; full pulses, so that nothing changes within a phase."""
    cells, x, delta = random_cells(model, 5, 6), signs(5, 2), signs(6, 3)
    for result in biasing_comparison(model, cells, x, delta):
        heat_j = 0.0
        for phase in write_schedule(x, delta, model.drive, model.architecture, model.array, result.phases).phases:
            report = sneak_report(model, cells, phase, result.bias)
            heat_j += float((report.v_v * report.i_a).sum()) * phase.duration_s
        assert result.energy_j * result.phases == pytest.approx(heat_j, rel=SWITCH)


def test_columns_that_switch_off_save_energy(model: ArrayModel) -> None:
    cells, x = random_cells(model, 4, 4), np.ones(4)
    full, short = (biasing_comparison(model, cells, x, size * signs(4, 2))[1] for size in (1.0, 0.5))
    # All rows driven: floating columns follow them, and only selected ones take power; for t0 + t1/2 = 2 ns, not 2.5.
    assert short.energy_j / full.energy_j == pytest.approx(2.0 / 2.5, rel=SWITCH)


def test_schemes_beside_each_other(model: ArrayModel) -> None:
    two, four, half, third = biasing_comparison(model, random_cells(model, 16, 16), signs(16, 8), signs(16, 8))
    assert [r.label for r in (two, four, half, third)] == [
        "2 phases, floating", "4 phases, floating", "4 phases, V/2", "4 phases, V/3"
    ]  # fmt: skip
    assert half.worst_ratio == pytest.approx(1 / 2, abs=SWITCH)
    assert (third.worst_ratio, third.mean_ratio) == pytest.approx((1 / 3, 1 / 3), abs=SWITCH)
    # V_AP is 0.72 V_P: (V_P - V_AP)/2 is 0.86 V_P.
    v_p, v_ap = (np.abs(model.drive.row_voltage_v(d, np.ones(1)))[0] for d in (Direction.P_TO_AP, Direction.AP_TO_P))
    assert two.mean_ratio == pytest.approx((v_p + v_ap) / 2 / v_p, rel=SWITCH)
    # Section 4.4's conclusion: a phase more for each sign saves nearly all false flips.
    assert four.expected_false_flips < 1e-3 * two.expected_false_flips


def test_a_write_that_drives_nothing(model: ArrayModel) -> None:
    for result in biasing_comparison(model, random_cells(model, 2, 3), np.zeros(2), np.ones(3)):
        assert (result.mean_ratio, result.worst_ratio, result.expected_false_flips, result.energy_j) == (0, 0, 0, 0)


def test_a_row_at_the_common_mode_is_not_selected(model: ArrayModel) -> None:
    """x = 0 in two phases: held, not floating, and nothing is meant for its cells."""
    report = sneak_report(model, random_cells(model, 3, 4), phase_of(model, np.array([1.0, 0, -1]), signs(4, 2), 2))
    assert report.row_selected.tolist() == [True, False, True]
    assert np.abs(report.v_v[1, :2]).max() < SWITCH


def test_an_open_cell_sees_a_voltage_and_does_not_flip(model: ArrayModel) -> None:
    cells = random_cells(model, 3, 3).with_defects(opens=[(0, 2)], shorts=[(1, 2)])
    report = sneak_report(model, cells, phase_of(model, signs(3, 2), signs(3, 1), 2))
    assert report.v_v[0, 2] != 0
    assert report.i_a[0, 2] == 0
    assert report.probability[[0, 1], 2].tolist() == [0, 0]


def test_a_transistor_a_cell_leaves_no_sneak_path(mondal: JunctionCard) -> None:
    model = perfect_model(Architecture.ONE_T_ONE_R, mondal)
    cells = random_cells(model, 4, 4)
    phase = phase_of(model, signs(4, 2), signs(4, 2), 2)
    report = sneak_report(model, cells, phase)
    assert (report.v_v[:, 2:] == 0).all()
    assert (report.i_a[:, 2:] == 0).all()
    assert report.expected_false_flips == 0
    for refused in (
        lambda: sneak_report(model, cells, phase, Bias.HALF),
        lambda: biasing_comparison(model, cells, signs(4, 2), signs(4, 2)),
        lambda: paper_comparison(model, np.random.default_rng(1)),
    ):
        with pytest.raises(InputError, match="only a 1R array has sneak paths"):
            refused()


def test_everything_selected(model: ArrayModel) -> None:
    report = sneak_report(model, random_cells(model, 2, 2), phase_of(model, np.ones(2), np.ones(2), 4))
    assert report.selected.all()
    assert (report.mean_v, report.worst_v, report.kinds) == (0, 0, ())


def test_reports_are_plain_data(model: ArrayModel, cases: tuple[PaperCase, ...]) -> None:
    cells = random_cells(model, 2, 3)
    report = sneak_report(model, cells, phase_of(model, signs(2, 1), signs(3, 1), 4)).to_json()
    assert json.loads(json.dumps(report)) == report
    assert report["selected"] == [[True, False, False], [False, False, False]]
    assert {"kind", "cells", "mean_v", "worst_v", "expected_false_flips"} == set(report["kinds"][0])
    for result in (*cases, *biasing_comparison(model, cells, signs(2, 1), signs(3, 1))):
        plain = result.to_json()
        assert json.loads(json.dumps(plain)) == plain


def test_refusals(model: ArrayModel) -> None:
    cells = random_cells(model, 4, 4)
    with pytest.raises(InputError, match="the phase does not fit the array"):
        sneak_report(model, cells, phase_of(model, signs(3, 1), signs(4, 2), 4))
    with pytest.raises(InputError, match="V/3 needs rows of one sign"):
        sneak_report(model, cells, phase_of(model, signs(4, 2), signs(4, 2), 2), Bias.THIRD)
    with pytest.raises(InputError, match="the array must have halves"):
        paper_comparison(model, np.random.default_rng(1), side=5)
    wired = replace(model, array=load_array("array45"))
    with pytest.raises(InputError, match="up to 32 x 32 with wires"):
        sneak_report(wired, random_cells(model, 33, 4), phase_of(model, signs(33, 3), signs(4, 2), 4))

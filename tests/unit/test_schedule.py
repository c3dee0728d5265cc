"""Schedules: which line is driven when and how (Mondal & Srivastava 2018, eqs. 6, 10, 11, Tables 1 and 4)."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError
from mtjspice.schedule import Points, Schedule, read_schedule, step_schedule, write_schedule

ARRAY = load_array("array45")
EDGE_S, GAP_S = ARRAY.timing.edge_s, ARRAY.timing.gap_s
T0_S, T1_S = 1.5e-9, 1e-9
X = np.array([0.5, -1.0, 0.0, 0.25])
DELTA = np.array([0.3, 0.0, -1.0])


def v_p(x_abs: np.ndarray) -> np.ndarray:
    return 0.7 + 0.2 * x_abs


def v_ap(x_abs: np.ndarray) -> np.ndarray:
    return -(0.5 + 0.1 * x_abs)


class FakeDrive:
    """Levels that tell direction and |x| from each other: AP->P negative, P->AP positive."""

    t0_s, t1_s = T0_S, T1_S

    def row_voltage_v(self, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
        return v_ap(x_abs) if direction is Direction.AP_TO_P else v_p(x_abs)


def write(phases: int) -> Schedule:
    architecture = Architecture.ONE_T_ONE_R if phases == 2 else Architecture.ONE_R
    return write_schedule(X, DELTA, FakeDrive(), architecture, ARRAY, phases)


def level(points: Points, t_s: float) -> float:
    times, levels = np.array(points).T
    return float(np.interp(t_s, times, levels))


def test_a_column_is_on_for_t0_and_its_share_of_t1() -> None:
    first, second = write(2).phases
    np.testing.assert_allclose(first.column_on_s, [T0_S + 0.3 * T1_S, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(second.column_on_s, [0, 0, T0_S + T1_S], rtol=1e-12)


def test_two_phases_drive_every_row_by_table_1() -> None:
    """Delta > 0: V_P where x > 0 and V_AP where x < 0 (eq. 11); delta < 0: the opposite; x = 0 at the common mode."""
    first, second = write(2).phases
    np.testing.assert_allclose(first.row_v, [v_p(0.5), v_ap(1), 0, v_p(0.25)])
    np.testing.assert_allclose(second.row_v, [v_ap(0.5), v_p(1), 0, v_ap(0.25)])
    assert first.row_on.all()
    assert second.row_on.all()


@pytest.mark.parametrize(
    ("number", "delta_sign", "x_sign", "level_of"),
    [(0, 1, 1, v_p), (1, 1, -1, v_ap), (2, -1, 1, v_ap), (3, -1, -1, v_p)],
)
def test_four_phases_are_table_4(
    number: int, delta_sign: int, x_sign: int, level_of: Callable[[np.ndarray], np.ndarray]
) -> None:
    phase = write(4).phases[number]
    on = np.sign(X) == x_sign
    np.testing.assert_array_equal(phase.row_on, on)
    np.testing.assert_allclose(phase.row_v, np.where(on, level_of(np.abs(X)), 0.0))
    np.testing.assert_array_equal(phase.column_on_s > 0, np.sign(DELTA) == delta_sign)


@pytest.mark.parametrize("phases", [2, 4])
def test_each_cell_is_written_once_in_the_direction_of_table_1(phases: int) -> None:
    """Delta W = -eta x delta: a positive product asks for P -> AP, which a positive row voltage drives."""
    schedule = write(phases)
    driven = np.zeros((len(X), len(DELTA)))
    for phase in schedule.phases:
        driven += np.outer(np.sign(phase.row_v), phase.column_on_s > 0)
    np.testing.assert_array_equal(driven, np.sign(np.outer(X, DELTA)))


def test_an_input_of_0_floats_in_four_phases_and_rests_in_two() -> None:
    zero = X == 0
    for phase in write(2).phases:
        assert (phase.row_v[zero] == 0).all()
        assert phase.row_on[zero].all()
    for phase in write(4).phases:
        assert not phase.row_on[zero].any()


@pytest.mark.parametrize("phases", [2, 4])
def test_an_error_of_0_selects_no_column(phases: int) -> None:
    schedule = write(phases)
    for phase in schedule.phases:
        assert phase.column_on_s[1] == 0
    assert schedule.column_waveform(1, -0.9, 2.4) == ((0.0, -0.9),)


def test_a_one_r_array_has_two_phases_too() -> None:
    schedule = write_schedule(X, DELTA, FakeDrive(), Architecture.ONE_R, ARRAY, 2)
    for phase, expected in zip(schedule.phases, write(2).phases, strict=True):
        np.testing.assert_array_equal(phase.row_v, expected.row_v)
        assert phase.row_on.all()


@pytest.mark.parametrize("phases", [2, 4])
def test_waveforms_cross_50_percent_where_the_phase_says(phases: int) -> None:
    schedule = write(phases)
    for phase in schedule.phases:
        for i, v in enumerate(phase.row_v):
            points = schedule.row_waveform(i)
            assert level(points, phase.start_s) == pytest.approx(v / 2)
            assert level(points, phase.end_s) == pytest.approx(v / 2)
            assert level(points, (phase.start_s + phase.end_s) / 2) == pytest.approx(v)
        for j, t_on in enumerate(phase.column_on_s):
            if t_on:
                points = schedule.column_waveform(j, -1.0, 3.0)
                assert level(points, phase.start_s) == pytest.approx(1.0)
                assert level(points, phase.start_s + t_on) == pytest.approx(1.0)
                assert level(points, phase.start_s + t_on / 2) == 3.0


@pytest.mark.parametrize("phases", [2, 4])
def test_all_lines_are_idle_between_phases(phases: int) -> None:
    schedule = step_schedule(X, DELTA, FakeDrive(), Architecture.ONE_R, ARRAY, phases)
    ends = [0.0, *(phase.end_s for phase in schedule.phases)]
    starts = [*(phase.start_s for phase in schedule.phases), schedule.stop_s]
    for number, (end, start) in enumerate(zip(ends, starts, strict=True)):
        # Rows are back half an edge after the phase, their enabling gates two edges after it, and rise half an edge
        # before the next one: a gap of four edges leaves them at rest for one and a half.
        idle = (end + 2 * EDGE_S + start - EDGE_S / 2) / 2 if number else 0.0
        for i in range(len(X)):
            assert level(schedule.row_waveform(i), idle) == 0
            assert level(schedule.row_enable_waveform(i, -1.0, 3.0), idle) == -1
        for j in range(len(DELTA)):
            assert level(schedule.column_waveform(j, -1.0, 3.0), idle) == -1


def test_a_row_is_let_go_only_when_its_driver_is_back() -> None:
    schedule = write(4)
    phase = schedule.phases[0]
    back_s = phase.end_s + EDGE_S / 2
    assert level(schedule.row_waveform(0), back_s) == pytest.approx(0, abs=1e-12)
    assert level(schedule.row_enable_waveform(0, -1.0, 3.0), back_s) == 3.0


def test_a_step_is_a_read_and_then_the_write() -> None:
    step = step_schedule(X, DELTA, FakeDrive(), Architecture.ONE_T_ONE_R, ARRAY, 2)
    read, *writes = step.phases
    np.testing.assert_allclose(read.row_v, 0.1 * X)
    np.testing.assert_array_equal(read.column_on_s, 5e-9)
    assert read.row_on.all()
    assert (read.start_s, read.duration_s) == (EDGE_S, 5e-9)
    assert writes[0].start_s == pytest.approx(read.end_s + GAP_S)
    assert writes[1].start_s == pytest.approx(writes[0].end_s + GAP_S)
    assert step.stop_s == pytest.approx(writes[1].end_s + GAP_S)
    assert step.shape == (4, 3)
    for phase, alone in zip(writes, write(2).phases, strict=True):
        assert phase.name == alone.name
        assert phase.duration_s == T0_S + T1_S
        np.testing.assert_array_equal(phase.row_v, alone.row_v)


def test_a_read_alone_starts_after_its_edge() -> None:
    schedule = read_schedule(X, 3, Architecture.ONE_R, ARRAY)
    assert [phase.name for phase in schedule.phases] == ["read"]
    assert schedule.phases[0].start_s == EDGE_S
    assert schedule.shape == (4, 3)


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=4),
    st.lists(st.floats(-1, 1), min_size=1, max_size=4),
    st.sampled_from([2, 4]),
)
def test_corners_of_every_waveform_rise_in_time(x: list[float], delta: list[float], phases: int) -> None:
    """What ngspice's PWL needs; a level is never the idle one within its phase."""
    schedule = step_schedule(np.array(x), np.array(delta), FakeDrive(), Architecture.ONE_R, ARRAY, phases)
    lines = [schedule.row_waveform(i) for i in range(len(x))]
    lines += [schedule.row_enable_waveform(i, -1.0, 3.0) for i in range(len(x))]
    lines += [schedule.column_waveform(j, -1.0, 3.0) for j in range(len(delta))]
    for points in lines:
        times = np.array(points)[:, 0]
        assert times[0] == 0
        assert (np.diff(times) > 0).all()
        assert times[-1] <= schedule.stop_s


@pytest.mark.parametrize(
    ("x", "delta", "message"),
    [
        ([1.01], [0.5], "x is out of range(.|\n)*1.01(.|\n)*-1 to 1"),
        ([0.5, float("nan")], [0.5], "x is out of range(.|\n)*nan"),
        ([0.5], [0.1, -2.0], "delta is out of range(.|\n)*-2"),
        ([0.5], [float("inf")], "delta is out of range(.|\n)*inf"),
        ([[0.5]], [0.5], r"x must be a vector(.|\n)*\(1, 1\)"),
        ([0.5], [], r"delta must be a vector(.|\n)*\(0,\)"),
        (0.5, [0.5], r"x must be a vector"),
        ([0.5], 0.5, r"delta must be a vector"),
    ],
)
def test_what_is_no_input_or_error_is_refused(x: list[float], delta: list[float], message: str) -> None:
    for make in (write_schedule, step_schedule):
        with pytest.raises(InputError, match=message):
            make(np.array(x), np.array(delta), FakeDrive(), Architecture.ONE_R, ARRAY, 2)


@pytest.mark.parametrize(
    ("architecture", "phases", "allowed"),
    [(Architecture.ONE_T_ONE_R, 4, "2"), (Architecture.ONE_R, 3, "4 or 2"), (Architecture.ONE_R, 0, "4 or 2")],
)
def test_phases_that_an_architecture_does_not_have(architecture: Architecture, phases: int, allowed: str) -> None:
    with pytest.raises(InputError, match=f"{architecture} has no write of {phases} phases(.|\n)*{allowed}"):
        write_schedule(X, DELTA, FakeDrive(), architecture, ARRAY, phases)

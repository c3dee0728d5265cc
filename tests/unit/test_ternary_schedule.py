"""Schedules of ternary synapses: which line is driven when, to which side, and for how long gates are on."""

import numpy as np
import pytest

from mtjspice.cards.array import load_array
from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError
from mtjspice.ternary_schedule import ternary_read_schedule, ternary_update_schedule

ARRAY = load_array("array45")
LEVELS = {Direction.AP_TO_P: 0.6, Direction.P_TO_AP: -0.8}


def test_a_read_drives_the_two_lines_of_a_row_to_opposite_sides() -> None:
    schedule = ternary_read_schedule(np.array([1, 0, -1]), 2, ARRAY)
    (phase,) = schedule.phases
    v = ARRAY.read.v_read_v
    assert phase.row_v.tolist() == [v, -v, 0, 0, -v, v]
    assert (phase.column_on_s == ARRAY.read.t_read_s).all()


def test_an_update_takes_row_after_row_and_in_each_those_to_raise_first() -> None:
    width_s = np.array([[2e-9, -1.5e-9, 0.0], [-2.5e-9, 0.0, -1e-9]])
    schedule = ternary_update_schedule(width_s, LEVELS, ARRAY)
    # Row 2 has nothing to raise, so there is no phase for it.
    assert [phase.name for phase in schedule.phases] == ["raise_row1", "lower_row1", "lower_row2"]
    lines = [phase.row_v.tolist() for phase in schedule.phases]
    assert lines == [[0.6, -0.8, 0, 0], [-0.8, 0.6, 0, 0], [0, 0, -0.8, 0.6]]
    on = [phase.column_on_s.tolist() for phase in schedule.phases]
    assert on == [[2e-9, 0, 0], [0, 1.5e-9, 0], [2.5e-9, 0, 1e-9]]
    assert [phase.duration_s for phase in schedule.phases] == [2e-9, 1.5e-9, 2.5e-9]
    for before, after in zip(schedule.phases, schedule.phases[1:], strict=False):
        assert after.start_s == pytest.approx(before.end_s + ARRAY.timing.gap_s)


@pytest.mark.parametrize("x", [[0.5], [2], [np.nan], [[1, 0]], []])
def test_inputs_are_ternary(x: object) -> None:
    with pytest.raises(InputError, match="vector of -1, 0 and 1"):
        ternary_read_schedule(np.array(x), 1, ARRAY)


@pytest.mark.parametrize(
    ("width_s", "message"),
    [
        ([[0.0]], "not all of them 0"),
        ([1e-9], "a matrix of widths"),
        ([[np.inf]], "a matrix of widths"),
        ([[np.nan]], "a matrix of widths"),
        ([[1e-9, -4e-11]], "no longer than its edges"),
    ],
)
def test_widths_that_make_no_update(width_s: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ternary_update_schedule(np.array(width_s), LEVELS, ARRAY)

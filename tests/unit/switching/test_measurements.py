"""A user's table of pulses, and every way in which it can be wrong."""

from pathlib import Path

import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import DataError
from mtjspice.switching.measurements import read_measurements

HEADER = "direction,current_a,width_s,trials,switched\n"
GOOD = "ap_to_p,60e-6,1.5e-9,100,3\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "pulses.csv"
    path.write_text(text, encoding="utf-8")
    return path


def fault(folder: Path, text: str) -> str:
    with pytest.raises(DataError) as error:
        read_measurements(write(folder, text))
    assert "pulses.csv" in str(error.value)
    return str(error.value)


def test_rows_become_points_in_order_of_level(tmp_path: Path) -> None:
    text = HEADER + "ap_to_p,90e-6,1.5e-9,100,40\nap_to_p,60e-6,2.5e-9,100,9\np_to_ap,2e-4,1.5e-9,50,1\n" + GOOD
    counts = read_measurements(write(tmp_path, text))
    assert [(c.point.direction, c.point.level, c.point.widths_s) for c in counts] == [
        (Direction.AP_TO_P, 60e-6, (1.5e-9, 2.5e-9)),
        (Direction.AP_TO_P, 90e-6, (1.5e-9,)),
        (Direction.P_TO_AP, 2e-4, (1.5e-9,)),
    ]
    assert counts[0].switched.tolist() == [3, 9]
    assert {c.point.drive for c in counts} == {Drive.CURRENT}
    assert all(c.not_simulated == {} for c in counts)


def test_repeated_rows_are_added_up(tmp_path: Path) -> None:
    (counts,) = read_measurements(write(tmp_path, HEADER + GOOD + "ap_to_p,60e-6,1.5e-9,900,50\n"))
    assert (counts.trials, counts.switched.tolist()) == (1000, [53])


def test_signs_are_dropped_and_voltage_is_a_drive(tmp_path: Path) -> None:
    text = "direction,voltage_v,width_s,trials,switched\nap_to_p,-0.6,1.5e-9,100,3\nap_to_p,0.6,1.5e-9,100,4\n"
    (counts,) = read_measurements(write(tmp_path, text))
    assert (counts.point.drive, counts.point.level, counts.switched.tolist()) == (Drive.VOLTAGE, 0.6, [7])


def test_unequal_trials_at_one_level_are_points_of_their_own(tmp_path: Path) -> None:
    counts = read_measurements(write(tmp_path, HEADER + GOOD + "ap_to_p,60e-6,2.5e-9,200,9\n"))
    assert [(c.point.widths_s, c.trials) for c in counts] == [((1.5e-9,), 100), ((2.5e-9,), 200)]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + GOOD,  # as spreadsheets save it
        (HEADER + GOOD).replace("\n", "\r\n"),
        "# bench 4, Tuesday\n" + HEADER.replace(",", ", ") + "\n" + GOOD.replace(",", ", "),
        "note," + HEADER + "good," + GOOD,
        "width_s,trials,switched,direction,current_a\n1.5e-9,100,3,ap_to_p,60e-6",
    ],
    ids=["byte order mark", "line ends", "comment, spaces, blank line", "more columns", "other order"],
)
def test_tables_as_people_write_them(tmp_path: Path, text: str) -> None:
    (counts,) = read_measurements(write(tmp_path, text))
    assert (counts.point.level, counts.point.widths_s, counts.trials) == (60e-6, (1.5e-9,), 100)


@pytest.mark.parametrize("column", ["direction", "width_s", "trials", "switched", "current_a"])
def test_a_missing_column(tmp_path: Path, column: str) -> None:
    message = fault(tmp_path, HEADER.replace(column, "remark") + GOOD)
    assert "lack a column" in message
    assert "direction, width_s, trials, switched and either current_a or voltage_v" in message


def test_both_drives(tmp_path: Path) -> None:
    assert "exclude each other" in fault(tmp_path, "voltage_v," + HEADER + "0.6," + GOOD)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("AP-P,60e-6,1.5e-9,100,3", "direction = AP-P is unknown"),
        (",60e-6,1.5e-9,100,3", "direction = nan is unknown"),
        ("ap_to_p,,1.5e-9,100,3", "current_a = nan is not a number"),
        ("ap_to_p,60u,1.5e-9,100,3", "current_a = 60u is not a number"),
        ("ap_to_p,nan,1.5e-9,100,3", "current_a = nan is not a number"),
        ("ap_to_p,inf,1.5e-9,100,3", "current_a must be in SI units"),
        ("ap_to_p,60,1.5e-9,100,3", "current_a must be in SI units, not 0 and at most 0.1 A"),
        ("ap_to_p,0,1.5e-9,100,3", "current_a must be in SI units, not 0"),
        ("ap_to_p,60e-6,1.5,100,3", "width_s must lie between 0 and 1 s"),
        ("ap_to_p,60e-6,-1.5e-9,100,3", "width_s must lie between 0 and 1 s"),
        ("ap_to_p,60e-6,0,100,3", "width_s must lie between 0 and 1 s"),
        ("ap_to_p,60e-6,1.5e-9,0,0", "trials must be a whole number from 1 to 1e+12"),
        ("ap_to_p,60e-6,1.5e-9,-100,3", "trials must be a whole number from 1 to 1e+12"),
        ("ap_to_p,60e-6,1.5e-9,99.5,3", "trials must be a whole number from 1 to 1e+12"),
        ("ap_to_p,60e-6,1.5e-9,inf,3", "trials must be a whole number from 1 to 1e+12"),
        ("ap_to_p,60e-6,1.5e-9,1e30,3", "trials must be a whole number"),
        ("ap_to_p,60e-6,1.5e-9,100,-3", "switched must be a whole number of at least 0"),
        ("ap_to_p,60e-6,1.5e-9,100,0.03", "switched must be a whole number of at least 0"),
        ("ap_to_p,60e-6,1.5e-9,100,101", "more switched than trials"),
    ],
)  # fmt: skip
def test_a_faulty_line_is_named(tmp_path: Path, row: str, expected: str) -> None:
    message = fault(tmp_path, HEADER + GOOD + row + "\n" + GOOD)
    assert "the measurements have " in message
    assert f"line 3: {expected}" in message


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = "# bench 4\n\n" + HEADER + "# morning\n" + GOOD + "\nap_to_p,60e-6,1.5e-9,100,101\n"
    assert "line 7: more switched than trials" in fault(tmp_path, text)


def test_many_faults_are_named_at_once_but_not_all(tmp_path: Path) -> None:
    message = fault(tmp_path, HEADER + "ap_to_p,60,1.5,100,200\n" * 5)
    assert message.count("line ") == 10
    assert "and 5 more" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cannot read the measurements"),
        (HEADER, "no measurements below the header"),
        (HEADER + '"ap_to_p,60e-6', "cannot read the measurements"),
        (HEADER + GOOD + GOOD.strip() + ",1,2,3\n", "cannot read the measurements"),
        (HEADER + GOOD.strip() + ",7\n", "lines longer than their header"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in fault(tmp_path, text)


def test_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "pulses.csv"
    for make in (lambda: None, lambda: path.write_bytes(b"\x89PNG\xff\xfe\x00"), lambda: (path.unlink(), path.mkdir())):
        make()
        with pytest.raises(DataError, match="cannot read the measurements"):
            read_measurements(path)

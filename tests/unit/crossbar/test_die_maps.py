"""Measured maps: what they say of cells, and every way in which they can be wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.die_drawing import draw_dies
from mtjspice.crossbar.die_maps import read_maps
from mtjspice.crossbar.dies import KINDS, Die
from mtjspice.errors import DataError, InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm

SERIES_OHM, SHORT_OHM, READ_V = 1500.0, 250.0, 0.1
SHAPES = ((5, 8), (4, 2))
COLUMNS = ["die", "array", "row", "column", "r_p_ohm", "r_ap_ohm"]

Read = Callable[..., tuple[Die, ...]]


@pytest.fixture
def read(tmp_path: Path, mondal_parameters: MacrospinParameters) -> Read:
    """Write a table or text into a file, and read it."""

    def read_it(given: pd.DataFrame | str, **changes: object) -> tuple[Die, ...]:
        path = tmp_path / "maps.csv"
        if isinstance(given, pd.DataFrame):
            given.to_csv(path, index=False)
        else:
            path.write_text(given, encoding="utf-8")
        settings = {"v_read_v": READ_V, "in_series_ohm": SERIES_OHM, "r_short_ohm": SHORT_OHM} | changes
        return read_maps(path, mondal_parameters, **settings)

    return read_it


@pytest.fixture
def fault(read: Read) -> Callable[..., str]:
    """The same, for what is refused; the message names the file."""

    def message(given: pd.DataFrame | str, **changes: object) -> str:
        with pytest.raises(DataError) as error:
            read(given, **changes)
        assert "maps.csv" in str(error.value)
        return str(error.value)

    return message


@pytest.fixture
def dies(mondal_parameters: MacrospinParameters) -> tuple[Die, ...]:
    """Three dies with many defects, each with a factor of its own."""
    statistics = (
        load_die_statistics("borders2024").at_rate(0.3).model_copy(update={"die_percent": 10.0, "rate_cv": 0.1})
    )
    return draw_dies(statistics, mondal_parameters, SHORT_OHM, SHAPES, 3, 5)


@pytest.fixture
def maps(dies: tuple[Die, ...]) -> pd.DataFrame:
    return measured(dies)


def read_ohm(cells: Cells, state: int) -> np.ndarray:
    """Return what a meter says after all cells were written to a state: stuck ones keep theirs."""
    kept = np.where(cells.defect == Defect.STUCK, cells.state, state)
    with np.errstate(divide="ignore"):
        return 1 / cells.with_state(kept).conductance_s(np.full(kept.shape, READ_V))[0] + SERIES_OHM


def measured(dies: tuple[Die, ...]) -> pd.DataFrame:
    parts = []
    for die in dies:
        for array, cells in enumerate(die.arrays, 1):
            rows, columns = np.indices(cells.state.shape) + 1
            values = (die.name, array, rows.ravel(), columns.ravel(), *(read_ohm(cells, s).ravel() for s in (1, 0)))
            parts.append(pd.DataFrame(dict(zip(COLUMNS, values, strict=True))))
    return pd.concat(parts, ignore_index=True)


def nominal(parameters: MacrospinParameters, rows: int = 4, columns: int = 4, die: str = "a") -> pd.DataFrame:
    """Return a map of equal, healthy cells."""
    places = [(die, 1, i, j) for i in range(1, rows + 1) for j in range(1, columns + 1)]
    p_ohm, ap_ohm = parameters.r_p_ohm, float(antiparallel_resistance_ohm(parameters, READ_V))
    return pd.DataFrame([(*place, p_ohm + SERIES_OHM, ap_ohm + SERIES_OHM) for place in places], columns=COLUMNS)


def assert_alike(found: tuple[Die, ...], expected: tuple[Die, ...]) -> None:
    """The same defects, and in either state the same conductances."""
    assert [die.name for die in found] == [die.name for die in expected]
    for die, other in zip(found, expected, strict=True):
        assert die.shapes == other.shapes
        for cells, those in zip(die.arrays, other.arrays, strict=True):
            np.testing.assert_array_equal(cells.defect, those.defect)
            stuck = cells.defect == Defect.STUCK
            np.testing.assert_array_equal(cells.state[stuck], those.state[stuck])
            for state in (0, 1):
                # Files keep all digits; what is in series is added and taken off again.
                np.testing.assert_allclose(read_ohm(cells, state), read_ohm(those, state), rtol=1e-12)


def test_a_measured_die_is_the_die(read: Read, dies: tuple[Die, ...], maps: pd.DataFrame) -> None:
    assert all(sum(die.defects[kind] for die in dies) for kind in KINDS)
    found = read(maps)
    assert_alike(found, dies)
    for die, other in zip(found, dies, strict=True):
        for cells, those in zip(die.arrays, other.arrays, strict=True):
            healthy = cells.defect == Defect.NONE
            np.testing.assert_allclose(cells.r_p_ohm[healthy], those.r_p_ohm[healthy], rtol=1e-12)
            np.testing.assert_allclose(cells.tmr0[healthy], those.tmr0[healthy], rtol=1e-12)
            assert (cells.v_h_v, cells.r_short_ohm) == (those.v_h_v, SHORT_OHM)


def test_conductances_are_as_good_as_resistances(read: Read, dies: tuple[Die, ...], maps: pd.DataFrame) -> None:
    maps["g_p_s"], maps["g_ap_s"] = 1 / maps["r_p_ohm"], 1 / maps["r_ap_ohm"]
    assert (maps["g_p_s"] == 0).any()
    assert_alike(read(maps.drop(columns=["r_p_ohm", "r_ap_ohm"])), dies)


def test_the_order_of_lines_does_not_matter(read: Read, dies: tuple[Die, ...], maps: pd.DataFrame) -> None:
    shuffled = maps.sample(frac=1, random_state=1)
    names = list(shuffled["die"].unique())
    assert names != [die.name for die in dies]
    assert_alike(read(shuffled), tuple(sorted(dies, key=lambda die: names.index(die.name))))


def test_one_array_needs_no_number(read: Read, mondal_parameters: MacrospinParameters) -> None:
    (die,) = read(nominal(mondal_parameters).drop(columns="array"))
    assert (die.name, die.shapes, die.rate) == ("a", ((4, 4),), 0)


def test_a_meter_that_errs_by_some_per_cent_finds_the_same_defects(
    read: Read, dies: tuple[Die, ...], maps: pd.DataFrame
) -> None:
    noise = np.random.default_rng(3).normal(1, 0.02, (2, len(maps)))
    maps["r_p_ohm"] *= noise[0]
    maps["r_ap_ohm"] *= noise[1]
    for die, other in zip(read(maps), dies, strict=True):
        assert die.defects == other.defects


@pytest.mark.parametrize(
    ("p_ohm", "ap_ohm", "kind"),
    [
        (250.0, 250.0, "short"),
        (0.0, 0.0, "short"),
        (-1200.0, -1200.0, "short"),  # less than what is in series: a meter errs
        (1200.0, 1200.0, "short"),
        (250.0, 14800.0, "short"),  # it broke between the readings
        (4880.0, 250.0, "short"),
        (np.inf, 250.0, "short"),
        (np.inf, np.inf, "open"),
        (1e7, 1e7, "open"),
        (4880.0, np.inf, "open"),
        (60_000.0, 60_000.0, "open"),
        (4880.0, 4900.0, "stuck_p"),
        (5200.0, 4800.0, "stuck_p"),
        (3000.0, 3000.0, "stuck_p"),
        (14_600.0, 14_600.0, "stuck_ap"),
        (16_000.0, 13_000.0, "stuck_ap"),
        (4880.0, 7500.0, None),  # a poor cell, but one that switches
        (3000.0, 9000.0, None),
        (8000.0, 30_000.0, None),
    ],
)
def test_what_a_cell_is(
    read: Read, mondal_parameters: MacrospinParameters, p_ohm: float, ap_ohm: float, kind: str | None
) -> None:
    maps = nominal(mondal_parameters)
    maps.loc[5, ["r_p_ohm", "r_ap_ohm"]] = p_ohm + SERIES_OHM, ap_ohm + SERIES_OHM
    (die,) = read(maps)
    assert {k for k, count in die.defects.items() if count} == ({kind} if kind else set())
    cells = die.arrays[0]
    others = np.ones((4, 4), dtype=bool)
    others[1, 1] = False
    assert (cells.defect[others] == Defect.NONE).all()
    expected = {
        "short": (SHORT_OHM, SHORT_OHM),
        "open": (np.inf, np.inf),
        "stuck_p": (np.sqrt(p_ohm * ap_ohm),) * 2 if p_ohm > 0 else None,
        "stuck_ap": (np.sqrt(p_ohm * ap_ohm),) * 2 if p_ohm > 0 else None,
        None: (p_ohm, ap_ohm),
    }[kind]
    found = [read_ohm(cells, state)[1, 1] - SERIES_OHM for state in (1, 0)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_state_of_a_stuck_cell_is_told_by_its_die(read: Read, mondal_parameters: MacrospinParameters) -> None:
    """On a die of 0.55 R_P a stuck-AP cell is below the middle of a nominal die's states."""
    maps = nominal(mondal_parameters)
    for name in ("r_p_ohm", "r_ap_ohm"):
        maps[name] = 0.55 * (maps[name] - SERIES_OHM) + SERIES_OHM
    maps.loc[5, "r_p_ohm"] = maps.loc[5, "r_ap_ohm"]
    maps.loc[6, "r_ap_ohm"] = maps.loc[6, "r_p_ohm"]
    (die,) = read(maps)
    assert (die.defects["stuck_ap"], die.defects["stuck_p"]) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "# station 4\n" + text.replace(",", ", "),
        lambda text: text.replace("die,", "note,die,").replace("\na,", "\nfine,a,"),
    ],
    ids=["byte order mark", "line ends", "comment and spaces", "more columns"],
)
def test_tables_as_people_write_them(
    read: Read, mondal_parameters: MacrospinParameters, change: Callable[[str], str]
) -> None:
    (die,) = read(change(nominal(mondal_parameters).to_csv(index=False)))
    assert (die.name, die.shapes, die.rate) == ("a", ((4, 4),), 0)


# --- what is refused


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("die", "", "a die has a name"),
        ("die", "x" * 31, "a die has a name of 1 to 30 characters"),
        ("array", 0, "array = 0 must be a whole number from 1 to 4096"),
        ("row", -1, "row = -1 must be a whole number"),
        ("row", 1.5, "row = 1.5 must be a whole number"),
        ("column", 100_000_000, "column = 1e+08 must be a whole number from 1 to 4096"),
        ("column", "B", "column = B is not a number"),
        ("r_p_ohm", "", "r_p_ohm = nan is not a number"),
        ("r_ap_ohm", "nan", "r_ap_ohm = nan is not a number"),
        ("r_ap_ohm", "5k", "r_ap_ohm = 5k is not a number"),
        ("r_p_ohm", -6380.0, "r_p_ohm = -6380 must be 0 or more"),
        ("r_ap_ohm", "-inf", "r_ap_ohm = -inf must be 0 or more"),
    ],
)
def test_a_faulty_line_is_named(
    fault: Callable[..., str], mondal_parameters: MacrospinParameters, column: str, value: object, expected: str
) -> None:
    maps = nominal(mondal_parameters).astype({column: object})
    maps.loc[3, column] = value
    message = fault("# station 4\n\n" + maps.to_csv(index=False))
    assert f"the maps have 1 fault:\n  - line 7: {expected}" in message


def test_many_faults_are_named_at_once_but_not_all(
    fault: Callable[..., str], mondal_parameters: MacrospinParameters
) -> None:
    maps = nominal(mondal_parameters)
    maps["r_p_ohm"] = -1.0
    message = fault(maps)
    assert message.count("line ") == 10
    assert "and 6 more" in message


@pytest.mark.parametrize("column", ["die", "row", "column", "r_p_ohm", "r_ap_ohm"])
def test_a_missing_column(fault: Callable[..., str], maps: pd.DataFrame, column: str) -> None:
    assert "lack a column" in fault(maps.drop(columns=column))


def test_both_kinds_of_readings(fault: Callable[..., str], maps: pd.DataFrame) -> None:
    assert "exclude each other" in fault(maps.assign(g_p_s=1e-4, g_ap_s=1e-5))


def test_missing_cells(fault: Callable[..., str], maps: pd.DataFrame) -> None:
    message = fault(maps.drop(index=[60, 61]))  # of the second die's first array: the 13th and 14th of 5 x 8
    assert "a die lacks cells" in message
    assert "die die_0002: 46 of 48 cells, not array 1, row 2, column 5" in message
    assert "arrays of 5 x 8 and 4 x 2 cells" in message
    assert "inf ohm" in message


def test_a_missing_array(fault: Callable[..., str], maps: pd.DataFrame) -> None:
    without = maps[(maps["die"] != "die_0003") | (maps["array"] == 1)]
    assert "die die_0003: 40 of 48 cells, none of array 2" in fault(without)
    renumbered = maps.assign(array=maps["array"].replace(2, 3))
    message = fault(renumbered)
    assert "arrays are numbered from 1" in message
    assert "no cell of array 2" in message


def test_dies_of_different_shapes(fault: Callable[..., str], mondal_parameters: MacrospinParameters) -> None:
    two = pd.concat([nominal(mondal_parameters, 4, 4, "a"), nominal(mondal_parameters, 4, 6, "b")])
    message = fault(two)
    assert "die a: 16 of 24 cells, not array 1, row 1, column 5" in message


def test_duplicates(fault: Callable[..., str], mondal_parameters: MacrospinParameters) -> None:
    maps = nominal(mondal_parameters)
    message = fault(pd.concat([maps, maps.iloc[[6]]]))
    assert "line 18: die a, array 1, row 2, column 3 is there already" in message
    assert "number them in a column `array`" in message


def test_lines_of_two_arrays_without_a_number(fault: Callable[..., str], maps: pd.DataFrame) -> None:
    message = fault(maps.drop(columns="array"))
    assert "24 faults" in message
    assert "is there already" in message


def test_shapes_that_were_asked_for(read: Read, fault: Callable[..., str], maps: pd.DataFrame) -> None:
    assert read(maps, shapes=SHAPES)[0].shapes == SHAPES
    message = fault(maps, shapes=((8, 5), (4, 2)))
    assert "column 6 is outside arrays of 8 x 5 and 4 x 2 cells" in message
    assert "rows and columns are not exchanged" in message
    assert "array 2, row 1, column 1 is outside an array of 5 x 8 cells" in fault(maps, shapes=((5, 8),))
    assert "die die_0001: 48 of 64 cells, not array 2, row 1, column 3" in fault(maps, shapes=((5, 8), (4, 6)))


def test_siemens_taken_for_ohm(fault: Callable[..., str], maps: pd.DataFrame) -> None:
    inverted = maps.assign(r_p_ohm=1 / maps["r_p_ohm"], r_ap_ohm=1 / maps["r_ap_ohm"])
    message = fault(inverted)
    assert "r_p_ohm looks like siemens, not like ohm" in message
    assert "g_p_s and g_ap_s in siemens" in message


def test_ohm_taken_for_siemens(fault: Callable[..., str], maps: pd.DataFrame) -> None:
    message = fault(maps.rename(columns={"r_p_ohm": "g_p_s", "r_ap_ohm": "g_ap_s"}))
    assert "g_p_s looks like ohm, not like siemens" in message


def test_states_that_were_exchanged(fault: Callable[..., str], mondal_parameters: MacrospinParameters) -> None:
    maps = nominal(mondal_parameters)
    swapped = maps.rename(columns={"r_p_ohm": "r_ap_ohm", "r_ap_ohm": "r_p_ohm"})
    assert "exchange the names of both columns" in fault(swapped)
    maps.loc[5, ["r_p_ohm", "r_ap_ohm"]] = maps.loc[5, ["r_ap_ohm", "r_p_ohm"]].to_numpy()
    message = fault(maps)
    assert "line 7: R_AP is below R_P in die a, array 1, row 2, column 2" in message
    assert "measure these cells again" in message


@pytest.mark.parametrize("factor", [0.3, 3.0, 1e-3])
def test_junctions_of_another_card(
    fault: Callable[..., str], mondal_parameters: MacrospinParameters, factor: float
) -> None:
    maps = pd.concat([nominal(mondal_parameters, die=name) for name in "abc"], ignore_index=True)
    for name in ("r_p_ohm", "r_ap_ohm"):
        own = maps[name] - SERIES_OHM
        maps[name] = np.where(maps["die"] == "a", own, factor * own) + SERIES_OHM
    message = fault(maps)
    assert "the junctions are not those of the card" in message
    assert f"{factor * 4880:.4g} ohm of die b, and of 1 more dies" in message
    assert "2440 to 9760 ohm; the card's is 4880 ohm" in message
    assert "1500 ohm were taken off" in message


def test_a_die_of_open_cells_is_none(fault: Callable[..., str], mondal_parameters: MacrospinParameters) -> None:
    maps = nominal(mondal_parameters)
    maps[["r_p_ohm", "r_ap_ohm"]] = np.inf
    assert "a median R_P of inf ohm of die a" in fault(maps)


@pytest.mark.parametrize("in_series_ohm", [-1.0, float("nan"), float("inf")])
def test_a_resistance_in_series_out_of_range(read: Read, maps: pd.DataFrame, in_series_ohm: float) -> None:
    with pytest.raises(InputError, match="resistance in series is out of range"):
        read(maps, in_series_ohm=in_series_ohm)


HEADER = ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cannot read the maps"),
        (HEADER, "no cells below the header"),
        (HEADER + '"a,1,1,1,6380', "cannot read the maps"),
        (HEADER + "a,1,1,1,6380,16000\na,1,1,1,6380,16000,7,8\n", "cannot read the maps"),
        (HEADER + "a,1,1,1,6380,16000,7\n", "lines longer than their header"),
        ("6380 16000\n16000 6380\n", "lack a column"),
    ],
)
def test_what_is_no_table(fault: Callable[..., str], text: str, expected: str) -> None:
    assert expected in fault(text)


def test_what_is_no_text(tmp_path: Path, mondal_parameters: MacrospinParameters) -> None:
    path = tmp_path / "maps.csv"
    for make in (lambda: None, lambda: path.write_bytes(b"\x89PNG\xff\xfe\x00"), lambda: (path.unlink(), path.mkdir())):
        make()
        with pytest.raises(DataError, match="cannot read the maps"):
            read_maps(path, mondal_parameters, v_read_v=0.1, in_series_ohm=0.0, r_short_ohm=250.0)

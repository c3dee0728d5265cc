"""Switches that are on: current, derivatives, bounds, and a file that is whole or refused."""

from pathlib import Path

import numpy as np
import pytest

from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import DataError, ModelError
from mtjspice.resources import calibration_folder

WIDTH_M = 2e-6
SHIPPED = calibration_folder() / "mondal2018" / "switch_array45.npz"


@pytest.fixture
def table() -> SwitchTable:
    """Falls with the mean voltage, and a little with the difference."""
    mean, difference = np.linspace(-1, 2, 31), np.linspace(-0.5, 0.5, 20)
    g = 5e3 * np.exp(-0.3 * mean[:, None]) / (1 + difference**2)
    return SwitchTable(mean, difference, g, 1e-9, 3e-10, {"what": "made up"})


def test_no_difference_drives_no_current(table: SwitchTable) -> None:
    v = np.linspace(-2, 3, 40)
    current, by_a, by_b = table.current_a(WIDTH_M, v, v)
    assert not current.any()
    np.testing.assert_allclose(by_a, -by_b, rtol=1e-12)


def test_derivatives_are_those_of_the_current(table: SwitchTable) -> None:
    """Within the table and beyond it; the points lie off the grid's lines, where the slope jumps."""
    rng = np.random.default_rng(1)
    v_a, v_b = rng.uniform(-2.5, 3.5, 500), rng.uniform(-2.5, 3.5, 500)
    h = 1e-7
    _, by_a, by_b = table.current_a(WIDTH_M, v_a, v_b)
    numeric_a = (table.current_a(WIDTH_M, v_a + h, v_b)[0] - table.current_a(WIDTH_M, v_a - h, v_b)[0]) / (2 * h)
    numeric_b = (table.current_a(WIDTH_M, v_a, v_b + h)[0] - table.current_a(WIDTH_M, v_a, v_b - h)[0]) / (2 * h)
    # Rounding of currents of some 10 mA over 2e-7 V.
    np.testing.assert_allclose(by_a, numeric_a, atol=1e-9)
    np.testing.assert_allclose(by_b, numeric_b, atol=1e-9)


def test_the_tables_points_are_met_and_width_scales(table: SwitchTable) -> None:
    mean, difference = np.meshgrid(table.mean_v, table.difference_v, indexing="ij")
    current, _, _ = table.current_a(WIDTH_M, mean + difference / 2, mean - difference / 2)
    np.testing.assert_allclose(current, WIDTH_M * difference * table.g_s_per_m, rtol=1e-9)
    doubled, _, _ = table.current_a(2 * WIDTH_M, mean + difference / 2, mean - difference / 2)
    np.testing.assert_allclose(doubled, 2 * current, rtol=1e-12)


def test_an_ideal_switch_is_a_resistor() -> None:
    v_a, v_b = np.array([0.3, -0.8, 1.0]), np.array([0.1, 0.4, -1.0])
    current, by_a, by_b = SwitchTable.ideal(100.0 * WIDTH_M).current_a(WIDTH_M, v_a, v_b)
    np.testing.assert_allclose(current, (v_a - v_b) / 100, rtol=1e-12)
    np.testing.assert_allclose(by_a, 0.01, rtol=1e-12)
    np.testing.assert_allclose(by_b, -0.01, rtol=1e-12)


@pytest.mark.parametrize(
    ("v_a", "v_b", "message"), [(2.3, 2.1, "mean voltage"), (0.6, 0.0, "voltage"), (-0.3, 0.3, "-0.6 to -0.6 V")]
)
def test_a_solution_beyond_the_table_is_no_solution(table: SwitchTable, v_a: float, v_b: float, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        table.require(np.array([v_a]), np.array([v_b]))


def test_a_solution_within_the_table_passes(table: SwitchTable) -> None:
    table.require(np.array([0.25, -0.5]), np.array([-0.25, -0.5]))
    table.require(np.empty(0), np.empty(0))  # no switch is on


def test_a_file_reads_back(table: SwitchTable, tmp_path: Path) -> None:
    table.save(tmp_path / "t.npz")
    back = SwitchTable.load(tmp_path / "t.npz")
    for name in ("mean_v", "difference_v", "g_s_per_m"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
    for name in ("cycle_j_per_m", "off_f_per_m", "source"):
        assert getattr(back, name) == getattr(table, name)
    assert [path.name for path in tmp_path.iterdir()] == ["t.npz"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "schema", "not json"])
def test_what_is_no_table_is_refused(table: SwitchTable, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "t.npz"
    if damage != "missing":
        table.save(path)
        whole = path.read_bytes()
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2]}.get(damage, whole))
    if damage == "schema":
        np.savez(path, header=np.array('{"schema": 99}'))
    if damage == "not json":
        np.savez(path, header=np.array("{"))
    with pytest.raises(DataError, match=r"schema(.|\n)*99" if damage == "schema" else r"cannot read(.|\n)*t\.npz"):
        SwitchTable.load(path)


def test_the_shipped_table_is_a_transistor_that_is_on() -> None:
    table = SwitchTable.load(SHIPPED)
    assert (table.g_s_per_m > 0).all()
    assert table.cycle_j_per_m > 0
    # More than the overlap's 0.12 fF/um, less than that of a whole gate.
    assert 0.12e-9 < table.off_f_per_m < 1e-9
    middle = table.g_s_per_m[:, len(table.difference_v) // 2]
    assert (np.diff(middle) < 0).all()  # less gate drive, less current
    # Drain and source may change places; what is left is ngspice's leakage where the gate hardly turns on.
    np.testing.assert_allclose(table.g_s_per_m, table.g_s_per_m[:, ::-1], rtol=1e-5, atol=1e-6)

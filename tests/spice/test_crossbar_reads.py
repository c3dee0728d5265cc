"""Read decks in ngspice against the exact network: sensed currents column by column, and cells that are off."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mtjspice.calibration.drive import series_resistance_ohm
from mtjspice.calibration.transistor import switch_table
from mtjspice.cards.array import Architecture, ArrayCard, SwitchKind, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm
from mtjspice.netlist.context import CrossbarContext
from mtjspice.netlist.render import render_crossbar
from mtjspice.schedule import Phase, Schedule, read_schedule
from mtjspice.spice.crossbar_decks import Device, read_context
from mtjspice.spice.libraries import library_name, library_text
from mtjspice.spice.ngspice import run_points
from mtjspice.spice.rawfile import Waveforms
from mtjspice.surrogate.model import cell_drive

pytestmark = pytest.mark.spice

R_JUNCTION_OHM = 4880.0


def card(kind: SwitchKind, r_segment_ohm: float = 2.0, r_on_ohm: float = 100.0) -> ArrayCard:
    array = load_array("array45")
    return array.model_copy(
        update={
            "switches": array.switches.model_copy(update={"kind": kind, "r_on_ohm": r_on_ohm}),
            "wires": array.wires.model_copy(update={"r_segment_ohm": r_segment_ohm}),
        }
    )


@cache
def shipped_transistor() -> SwitchTable:
    return switch_table(load_array("array45"), R_JUNCTION_OHM)


def table_of(array: ArrayCard) -> SwitchTable:
    return switch_table(array, R_JUNCTION_OHM) if array.switches.kind is SwitchKind.IDEAL else shipped_transistor()


def run(context: CrossbarContext, array: ArrayCard, folder: Path) -> Waveforms:
    if array.switches.kind is SwitchKind.BSIM4:
        (folder / library_name(array.switches)).write_text(library_text(array.switches))
    return run_points(render_crossbar(context), folder, points=1, time_limit_s=60)


def values(waves: Waveforms, pattern: str, count: int) -> np.ndarray:
    return np.array([waves[pattern.format(k)][0] for k in range(1, count + 1)])


def as_resistors(context: CrossbarContext, cells: Cells) -> CrossbarContext:
    """Return the same deck with a resistor of r_p in every junction's place."""
    return replace(
        context,
        cells=tuple(
            replace(cell, kind="resistor", r_ohm=float(cells.r_p_ohm[cell.row - 1, cell.column - 1]))
            for cell in context.cells
        ),
    )


def worst_error(
    parameters: MacrospinParameters,
    architecture: Architecture,
    array: ArrayCard,
    n: int,
    folder: Path,
    *,
    resistors: bool = False,
) -> float:
    """Return the largest difference of a sensed current, over the largest current, of n x n cells that vary."""
    rng = np.random.default_rng(n)
    x = rng.uniform(-1, 1, n)
    cells = Cells.nominal(parameters, rng.integers(0, 2, (n, n)), 250.0).varied(5, rng)
    if resistors:
        cells = cells.with_state(np.ones((n, n)))
    else:
        cells = cells.with_defects(stuck=[(0, 0)], opens=[(1, 1)], shorts=[(n - 1, 0)])
    schedule = read_schedule(x, n, architecture, array)
    context = read_context(schedule, cells, Device(parameters, array, 7e3), title="a read")
    sensed = values(run(as_resistors(context, cells) if resistors else context, array, folder), "i(vsense{})", n)
    (phase,) = schedule.phases
    operation = Operation(phase.row_v, phase.row_on, phase.column_on_s > 0)
    expected = Network(architecture, array, (n, n), table_of(array)).solve(cells, operation).i_column_a
    return float(np.abs(sensed - expected).max() / np.abs(expected).max())


# One size, wires or none, per line: 32 x 32 takes ngspice half a second.
SIZES = [(2, 0.0), (2, 2.0), (8, 0.0), (8, 2.0), (32, 2.0)]


@pytest.mark.parametrize(("n", "r_segment_ohm"), SIZES)
@pytest.mark.parametrize("architecture", Architecture)
def test_resistor_cells_and_ideal_switches(
    mondal_parameters: MacrospinParameters, architecture: Architecture, n: int, r_segment_ohm: float, tmp_path: Path
) -> None:
    array = card(SwitchKind.IDEAL, r_segment_ohm)
    # ngspice's reltol is 1e-7 a node; a linear circuit is then exact, but for the leaks (gmin 1e-15, roff 1e12).
    assert worst_error(mondal_parameters, architecture, array, n, tmp_path, resistors=True) < 1e-6


@pytest.mark.parametrize(("n", "r_segment_ohm"), SIZES)
@pytest.mark.parametrize("architecture", Architecture)
def test_junctions_that_depend_on_their_voltage_and_ideal_switches(
    mondal_parameters: MacrospinParameters, architecture: Architecture, n: int, r_segment_ohm: float, tmp_path: Path
) -> None:
    """Resistances vary; one cell is stuck, one open, one shorted."""
    array = card(SwitchKind.IDEAL, r_segment_ohm)
    # Asked for: 1e-4. Both solve the same equations, ngspice to a reltol of 1e-7.
    assert worst_error(mondal_parameters, architecture, array, n, tmp_path) < 1e-6


@pytest.mark.parametrize(("n", "r_segment_ohm"), [*SIZES, (32, 0.0)])
@pytest.mark.parametrize("architecture", Architecture)
def test_transistors_against_their_table(
    mondal_parameters: MacrospinParameters, architecture: Architecture, n: int, r_segment_ohm: float, tmp_path: Path
) -> None:
    """The table interpolates the transistor's current; that is asked to be within 1 % and is within 0.3 %."""
    array = card(SwitchKind.BSIM4, r_segment_ohm)
    assert worst_error(mondal_parameters, architecture, array, n, tmp_path) < 3e-3


def weighted_sum(
    parameters: MacrospinParameters, architecture: Architecture, array: ArrayCard, folder: Path, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the amplifiers' outputs, and what r_feedback (G_P - G_AP)/2 W x v_read says, W = +1 or -1."""
    rows, columns = len(x), 4
    state = np.random.default_rng(5).integers(0, 2, (rows, columns))
    state[:, 0], state[:, 1] = 1, 0  # the largest sums of either sign
    v_read_v, width_m = array.read.v_read_v, array.switches.select_width_m
    transistor_ohm = series_resistance_ohm(table_of(array), width_m, 0.0)
    in_series_ohm = transistor_ohm if architecture is Architecture.ONE_T_ONE_R else 0.0
    g_p, g_ap = (
        1 / (r_ohm + in_series_ohm)
        for r_ohm in (parameters.r_p_ohm, float(antiparallel_resistance_ohm(parameters, v_read_v)))
    )
    # A reference cell is a resistor behind a select transistor, together the mean of the two states.
    device = Device(parameters, array, 2 / (g_p + g_ap) - transistor_ohm)
    cells = Cells.nominal(parameters, state, 250.0)
    context = read_context(read_schedule(x, columns, architecture, array), cells, device, title="a read")
    sums = values(run(context, array, folder), "v(sum{})", columns)
    return sums, array.read.r_feedback_ohm * (g_p - g_ap) / 2 * v_read_v * (x @ (2 * state - 1))


@pytest.mark.parametrize("kind", SwitchKind)
def test_the_sensed_output_is_the_weighted_sum_of_the_inputs(
    mondal_parameters: MacrospinParameters, kind: SwitchKind, tmp_path: Path
) -> None:
    x = np.array([1.0, -1.0, 0.8, 0.0, -0.9, 1.0])
    sums, expected = weighted_sum(mondal_parameters, Architecture.ONE_T_ONE_R, card(kind, 0.0), tmp_path, x)
    # G_AP is taken at the read voltage, and is lower by up to 1.5 % below it: 1 % of the largest sum that can be.
    assert expected[0] == pytest.approx(-expected[1])
    largest = abs(expected[0]) / abs(x.sum()) * np.abs(x).sum()
    np.testing.assert_allclose(sums, expected, rtol=0, atol=0.01 * largest)


def test_the_sensed_output_of_a_one_r_array_is_the_weighted_sum_too(
    mondal_parameters: MacrospinParameters, tmp_path: Path
) -> None:
    """Where its lines take no voltage: transistors at both ends of a line would take a few per cent."""
    x = np.array([1.0, -1.0, 0.8, 0.0, -0.9, 1.0])
    array = card(SwitchKind.IDEAL, 0.0, r_on_ohm=0.01)
    sums, expected = weighted_sum(mondal_parameters, Architecture.ONE_R, array, tmp_path, x)
    largest = abs(expected[0]) / abs(x.sum()) * np.abs(x).sum()
    np.testing.assert_allclose(sums, expected, rtol=0, atol=0.01 * largest)


@pytest.fixture(scope="module")
def write_levels_v(mondal_parameters: MacrospinParameters) -> np.ndarray:
    """Both ends of both directions' row levels, and the common mode."""
    drive = cell_drive(
        Architecture.ONE_T_ONE_R, mondal_parameters, card(SwitchKind.BSIM4), shipped_transistor(),
        load_campaign("table3").targets,
    )  # fmt: skip
    return np.concatenate((*(drive.row_voltage_v(direction, np.array([0.0, 1.0])) for direction in Direction), [0.0]))


def off_context(
    parameters: MacrospinParameters, array: ArrayCard, row_v: np.ndarray, state: int = 1
) -> CrossbarContext:
    """Return a write phase of two columns, neither of which is selected."""
    rows, columns = len(row_v), 2
    phase = Phase("delta_pos", 0.0, 2.5e-9, row_v, np.ones(rows, bool), np.zeros(columns))
    schedule = Schedule(Architecture.ONE_T_ONE_R, array.timing.edge_s, array.timing.gap_s, (phase,))
    cells = Cells.nominal(parameters, np.full((rows, columns), state), 250.0)
    return read_context(schedule, cells, Device(parameters, array, 7e3), title="all columns are off")


def largest_current_a(context: CrossbarContext, array: ArrayCard, folder: Path) -> float:
    """Return the largest current of a line, which is as much as all of its cells together."""
    waves = run(context, array, folder)
    rows, columns = values(waves, "i(vrow{})", context.rows), values(waves, "i(vsense{})", context.columns)
    return float(np.abs([*rows, *columns, *waves["i(vref)"]]).max())


@pytest.mark.parametrize("state", [0, 1])
def test_a_cell_that_is_off_conducts_less_than_a_microampere_at_every_write_level(
    mondal_parameters: MacrospinParameters, write_levels_v: np.ndarray, state: int, tmp_path: Path
) -> None:
    array = card(SwitchKind.BSIM4)
    assert write_levels_v.min() < -0.7
    assert write_levels_v.max() > 1.0
    context = off_context(mondal_parameters, array, write_levels_v, state)
    assert largest_current_a(context, array, tmp_path) < 1e-6


def test_a_gate_at_the_common_mode_would_not_switch_its_cells_off(
    mondal_parameters: MacrospinParameters, write_levels_v: np.ndarray, tmp_path: Path
) -> None:
    """So the test above can fail, and levels like that are refused before there is a deck."""
    array = card(SwitchKind.BSIM4)
    context = off_context(mondal_parameters, array, write_levels_v)
    idle = (((0.0, 0.0),),) * context.columns
    assert largest_current_a(replace(context, gate_points=idle), array, tmp_path) > 1e-5
    levels = array.levels.model_copy(update={"gate_off_v": 0.0, "bulk_v": 0.0})
    with pytest.raises(InputError, match=r"cells that are off would conduct(.|\n)*row at -0\.7\d+ V, bulk at 0 V"):
        off_context(mondal_parameters, array.model_copy(update={"levels": levels}), write_levels_v)


def test_a_users_own_library_replaces_the_generic_transistor(
    mondal_parameters: MacrospinParameters, tmp_path: Path
) -> None:
    (tmp_path / "Mine.LIB").write_text("* a wider level-1 transistor\n.model nmos_own nmos level=1 vto=0.3 kp=4e-4\n")
    array = card(SwitchKind.BSIM4)
    own = {"library": str(tmp_path / "Mine.LIB"), "model": "nmos_own"}
    array = array.model_copy(update={"switches": array.switches.model_copy(update=own)})
    table = switch_table(array, R_JUNCTION_OHM)
    x, state = np.array([1.0, -0.5]), np.eye(2)
    schedule = read_schedule(x, 2, Architecture.ONE_T_ONE_R, array)
    cells = Cells.nominal(mondal_parameters, state, 250.0)
    context = read_context(schedule, cells, Device(mondal_parameters, array, 7e3), title="a read")
    sensed = values(run(context, array, tmp_path), "i(vsense{})", 2)
    assert (tmp_path / "mine.lib").is_file()
    (phase,) = schedule.phases
    operation = Operation(phase.row_v, phase.row_on, phase.column_on_s > 0)
    mine, generic = (
        Network(Architecture.ONE_T_ONE_R, array, (2, 2), t).solve(cells, operation).i_column_a
        for t in (table, shipped_transistor())
    )
    # The square law is smooth: interpolation errs by less than 0.1 %, and the generic transistor is another one.
    np.testing.assert_allclose(sensed, mine, rtol=1e-3)
    assert (np.abs(sensed - generic) > 3e-3 * np.abs(generic)).all()

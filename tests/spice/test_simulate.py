"""Decks run where they are: rendered ones, edited ones, broken ones."""

from pathlib import Path

import numpy as np
import pytest

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.conventions import Direction
from mtjspice.cosim.spice_write import energy_j, place_library
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError, SimulationError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import thermal_field_t
from mtjspice.netlist.context import CrossbarContext
from mtjspice.netlist.render import render_crossbar
from mtjspice.schedule import read_schedule, step_schedule
from mtjspice.spice.crossbar_decks import Device, live_labels, read_context, start_magnetisations, transient_context
from mtjspice.spice.ngspice import NgspiceCrashError, NgspiceIncompleteError, NgspiceTimeoutError, run_ngspice
from mtjspice.spice.noise import write_noise
from mtjspice.spice.rawfile import RawFileError
from mtjspice.spice.simulate import DeckConvergenceError, simulate_deck

pytestmark = pytest.mark.spice
ARRAY = load_array("array45")
X, DELTA = np.array([1.0, -0.25]), np.array([0.5, -1.0])
STATE = np.array([[1, 0], [0, 1]])


class HighDrive:
    """Levels at which cells that should switch do so."""

    t0_s, t1_s = 1.5e-9, 1e-9

    def row_voltage_v(self, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
        return -(0.8 + 0.1 * x_abs) if direction is Direction.AP_TO_P else 1.2 + 0.2 * x_abs


def step_deck(
    parameters: MacrospinParameters, folder: Path, architecture: Architecture
) -> tuple[Path, CrossbarContext]:
    rng = np.random.default_rng(3)
    cells = Cells.nominal(parameters, STATE, ARRAY.r_short_ohm)
    schedule = step_schedule(X, DELTA, HighDrive(), architecture, ARRAY, architecture.phases[-1])
    step_s = ARRAY.timing.time_step_s
    field_t = thermal_field_t(parameters, int(np.ceil(schedule.stop_s / step_s)), 4, step_s, rng)
    context = transient_context(
        schedule, cells, Device(parameters, ARRAY, 7e3), start_magnetisations(parameters, STATE, rng),
        write_noise(folder, field_t, live_labels(cells)), title="One step", people=True,
    )  # fmt: skip
    place_library(ARRAY, folder)
    deck = folder / "step.cir"
    deck.write_text(render_crossbar(context))
    return deck, context


@pytest.mark.parametrize("architecture", Architecture)
def test_a_step_for_people(mondal_parameters: MacrospinParameters, tmp_path: Path, architecture: Architecture) -> None:
    """What the deck measures is what its waveforms show, and ngspice has nothing to complain of."""
    deck, context = step_deck(mondal_parameters, tmp_path, architecture)
    simulation = simulate_deck(deck, time_limit_s=120)
    waves, measured = simulation.waveforms, simulation.measurements
    assert waves is not None
    assert set(waves.names) == {"time", *context.saved}
    # ngspice's own integral differs by 6e-4 from the trapezoid here; one from time zero, start-up too, by 1 to 3e-3.
    assert measured["e_step"] == pytest.approx(energy_j(waves, context), rel=1e-3, abs=0)
    switched = 0
    for label in live_labels(Cells.nominal(mondal_parameters, STATE, ARRAY.r_short_ohm)):
        other_side = waves[f"v(mz{label})"] > mondal_parameters.saddle_mz
        if other_side[0] == other_side[-1]:
            assert f"t_switch_{label}" not in measured
            continue
        switched += 1
        last = waves["time"][np.flatnonzero(other_side != other_side[-1])[-1]]
        assert measured[f"t_switch_{label}"] == pytest.approx(last, abs=ARRAY.timing.time_step_s)
    assert switched > 0
    for row in (1, 2):
        i = waves[f"i(vrow{row})"][waves["time"] >= 2 * ARRAY.timing.time_step_s]
        # The deck's derivative takes three samples where this mean takes two; at an edge that is 5 %.
        assert measured[f"i_peak_row{row}"] == pytest.approx(np.abs((i[1:] + i[:-1]) / 2).max(), rel=0.05)
    output, _ = run_ngspice(["-b", deck.name], tmp_path, 120)
    assert "error" not in output.lower()
    assert output.count("ends in the state that it began in") == 4 - switched


def test_a_read_for_people(mondal_parameters: MacrospinParameters, tmp_path: Path) -> None:
    """An operating point leaves no waveforms, and its currents as measurements."""
    cells = Cells.nominal(mondal_parameters, STATE, ARRAY.r_short_ohm)
    schedule = read_schedule(X, 2, Architecture.ONE_T_ONE_R, ARRAY)
    context = read_context(schedule, cells, Device(mondal_parameters, ARRAY, 7e3), title="Read", people=True)
    place_library(ARRAY, tmp_path)
    (tmp_path / "read.cir").write_text(render_crossbar(context))
    simulation = simulate_deck(tmp_path / "read.cir", time_limit_s=60)
    assert simulation.waveforms is None
    assert set(simulation.measurements) == {"v(sum1)", "v(sum2)", "i(vsense1)", "i(vsense2)"}
    assert 5e-6 < simulation.measurements["i(vsense1)"] < 30e-6


def test_missing_noise_is_no_silence(mondal_parameters: MacrospinParameters, tmp_path: Path) -> None:
    """Without this check ngspice runs such a deck, with no noise at all."""
    deck, _ = step_deck(mondal_parameters, tmp_path, Architecture.ONE_T_ONE_R)
    (tmp_path / "field1.txt").unlink()
    with pytest.raises(InputError, match=r"not there[\s\S]*field1\.txt"):
        simulate_deck(deck, time_limit_s=60)


RUN = ".control\nrun\nwrite waves.raw\nquit\n.endc\n"
RC = "V1 a 0 PULSE(0 1 1n 1n)\nR1 a b 1k\nC1 b 0 1p\n"
TRAN = ".tran 10p 3n\n"
NOT_A_NUMBER_FROM_HALF_WAY = "B1 b 0 I=(time>1.5n)?ln(-1-V(a)):0\n"


def deck_of(folder: Path, text: str) -> Path:
    path = folder / "Own.cir"
    path.write_text(f"tran of a title\n{text}.end\n")
    return path


def test_a_deck_of_ones_own(tmp_path: Path) -> None:
    """Its stop time has a suffix; an older raw file and a measurement that fails disturb nothing."""
    control = ".control\nrun\nwrite waves.raw\nmeas tran top max v(b) from=1n\nmeas tran no when v(b)=7\nquit\n.endc\n"
    (tmp_path / "waves.raw").write_text("of an older run")
    simulation = simulate_deck(deck_of(tmp_path, RC + TRAN + control), time_limit_s=60)
    assert simulation.waveforms is not None
    assert simulation.waveforms["time"][-1] == pytest.approx(3e-9)
    # The answer of R C = 1 ns to a ramp of 1 ns and a level of 1 ns.
    assert simulation.measurements == {"top": pytest.approx(1 - (1 - np.exp(-1)) * np.exp(-1), rel=0.01)}
    assert simulation.elapsed_s > 0


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (RC + TRAN, InputError, r"writes no waveforms[\s\S]*these lines before \.end"),
        (RC + TRAN + RUN.replace("write waves.raw\n", ""), InputError, r"add the line `write waves\.raw` after `run`"),
        (RC + TRAN + RUN.replace("quit\n", ""), InputError, "add the line `quit`"),
        (RC + NOT_A_NUMBER_FROM_HALF_WAY + TRAN + RUN, DeckConvergenceError, r"Timestep too small[\s\S]*1\.5e-09 s"),
        (RC + TRAN + RUN.replace("run\n", "stop when time > 1n\nrun\n"), NgspiceIncompleteError, "before the end"),
        (RC + "M1 a b 0 0 none\n" + TRAN + RUN, NgspiceCrashError, "can't find model 'none'"),
        (RC + ".include none.lib\n" + TRAN + RUN, NgspiceCrashError, r"Could not find include file none\.lib"),
        (RC + TRAN + RUN.replace("waves.raw", "none/waves.raw"), RawFileError, "left no waveforms"),
        (RC + ".dc V1 0 1 0.1\n" + RUN, RawFileError, "not over time"),
        (RC + TRAN + RUN.replace("run\n", "run\nset filetype=ascii\n"), RawFileError, "cannot be read"),
        (RC + ".tran 10f 1\n" + RUN, NgspiceTimeoutError, "did not end in time"),
    ],
    ids=lambda value: "" if isinstance(value, str) else value.__name__,
)
def test_a_deck_with_a_fault(
    tmp_path: Path, text: str, error: type[InputError | SimulationError], message: str
) -> None:
    with pytest.raises(error, match=message):
        simulate_deck(deck_of(tmp_path, text), time_limit_s=3)


def test_no_deck(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the deck[\s\S]*No such file"):
        simulate_deck(tmp_path / "none.cir", time_limit_s=3)
    with pytest.raises(InputError, match=r"cannot read the deck[\s\S]*Is a directory"):
        simulate_deck(tmp_path, time_limit_s=3)


def test_the_folder_keeps_what_is_its_users(tmp_path: Path) -> None:
    (tmp_path / ".spiceinit").write_text("set num_threads=1\n")
    simulate_deck(deck_of(tmp_path, RC + TRAN + RUN), time_limit_s=60)
    assert (tmp_path / ".spiceinit").read_text() == "set num_threads=1\n"
    assert {path.name for path in tmp_path.iterdir()} == {".spiceinit", "Own.cir", "waves.raw"}

"""The junction in ngspice against the macrospin, on the same noise path; and what a pulse is."""

import dataclasses
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import InputError
from mtjspice.junction import macrospin
from mtjspice.junction.fokker_planck import switching_probability
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s
from mtjspice.junction.thermal import boltzmann_start, thermal_field_t
from mtjspice.spice.decks import write_pulse_deck
from mtjspice.spice.pulses import UnphysicalError, simulate_pulses, trajectories

pytestmark = pytest.mark.spice

TRIALS = 8
STEP_S = 2e-12
# Strong enough that most trials switch within the run.
EVENTS = [
    (Direction.AP_TO_P, Drive.CURRENT, 120e-6),
    (Direction.P_TO_AP, Drive.CURRENT, 200e-6),
    (Direction.AP_TO_P, Drive.VOLTAGE, 0.95),
    (Direction.P_TO_AP, Drive.VOLTAGE, 0.98),
]


def path_of(parameters: MacrospinParameters, direction: Direction, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and a thermal field for TRIALS junctions."""
    rng = np.random.default_rng(20)
    start = boltzmann_start(parameters, direction, TRIALS, rng)
    return start, thermal_field_t(parameters, round(duration_s / STEP_S), TRIALS, STEP_S, rng)


def on_grid(times: np.ndarray, m: np.ndarray, samples: int) -> np.ndarray:
    """Return m_z at the noise's samples, (samples, trials)."""
    grid = np.arange(samples) * STEP_S
    return np.stack([np.interp(grid, times, m[:, trial, 2]) for trial in range(m.shape[1])], axis=1)


def refined(field: np.ndarray, points: int) -> np.ndarray:
    """Return the same straight lines between samples with `points` points a sample."""
    samples = np.arange(len(field))
    fine = np.arange((len(field) - 1) * points + 1) / points
    columns = field.reshape(len(field), -1).T
    return np.stack([np.interp(fine, samples, column) for column in columns], axis=1).reshape(-1, TRIALS, 3)


def differences(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    *,
    points: int,
    reference_points: int,
) -> tuple[np.ndarray, float]:
    """Return each trial's max |delta m_z| between ngspice and the macrospin on one noise file, and the error of |m|."""
    start, field = path_of(parameters, direction, 2.5e-9)
    times, m = trajectories(parameters, direction, drive, level, start, field, STEP_S, points_per_sample=points)
    reference = macrospin.trajectory(
        parameters, direction, drive, level, start, refined(field, reference_points), STEP_S / reference_points
    )[::reference_points, :, 2]
    switched = (reference[-1] - parameters.saddle_mz) * direction.initial_mz < 0
    assert switched.sum() >= TRIALS / 2, "these are to be switching events"
    return np.abs(on_grid(times, m, len(field)) - reference).max(axis=0), norm_error(m)


def norm_error(m: np.ndarray) -> float:
    return float(np.abs(np.linalg.norm(m, axis=2) - 1).max())


@pytest.mark.parametrize(("direction", "drive", "level"), EVENTS)
def test_one_noise_file_gives_the_macrospins_switching_event(
    mondal_parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float
) -> None:
    """Both at 2 ps. Each method errs by O(dt) on a given path, most where precession is fast: the typical event counts.

    Measured: medians 0.001 to 0.0024, the worst of eight events 0.008.
    """
    difference, norm = differences(mondal_parameters, direction, drive, level, points=1, reference_points=1)
    assert np.median(difference) <= 0.005
    assert norm <= 5e-4  # measured 1.4e-4 to 1.8e-4


@pytest.mark.parametrize(("direction", "drive", "level"), EVENTS)
def test_two_points_a_sample_follow_every_event_of_the_exact_path(
    mondal_parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float
) -> None:
    """The noise file at 2 ps, ngspice at 1 ps, the macrospin at 0.2 ps: what is left is ngspice's own error, 0.003."""
    difference, norm = differences(mondal_parameters, direction, drive, level, points=2, reference_points=10)
    assert difference.max() <= 0.005
    assert norm <= 5e-4


@pytest.mark.parametrize("direction", Direction)
def test_a_tilted_reference_and_a_field_in_the_plane(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    """Every term that an axially symmetric card leaves out."""
    tilted = dataclasses.replace(mondal_parameters, b_x_t=0.01, p_x=np.sin(0.15).item(), p_z=np.cos(0.15).item())
    level = 0.9 if direction is Direction.AP_TO_P else 1.1
    difference, _ = differences(tilted, direction, Drive.VOLTAGE, level, points=2, reference_points=10)
    # A term left out or wrong moves m_z by tenths. The worst of these events passes close to the saddle: 0.012.
    assert np.median(difference) <= 0.005
    assert difference.max() <= 0.03


@pytest.mark.slow
@pytest.mark.parametrize(
    ("direction", "drive", "level"),
    [
        (Direction.AP_TO_P, Drive.CURRENT, 60e-6),
        (Direction.AP_TO_P, Drive.CURRENT, 80e-6),
        (Direction.AP_TO_P, Drive.VOLTAGE, 0.6),
        (Direction.P_TO_AP, Drive.CURRENT, 140e-6),
        (Direction.P_TO_AP, Drive.CURRENT, 180e-6),
        (Direction.P_TO_AP, Drive.VOLTAGE, 0.8),
    ],
)
def test_switching_probability_is_fokker_plancks(
    mondal_parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float
) -> None:
    """1,024 trials a point. |z| < 3 at six points raises a false alarm once in 60 seeds; the seed is fixed."""
    width_s, trials, batches = 2.5e-9, 64, 16
    mz = np.concatenate(
        [
            simulate_pulses(
                mondal_parameters,
                direction,
                drive,
                level,
                [width_s],
                trials,
                np.random.default_rng([5, batch]),
                time_step_s=5e-12,
            ).mz
            for batch in range(batches)
        ]
    )
    probability = float(np.squeeze(switching_probability(mondal_parameters, direction, drive, level, width_s)))
    switched = ((mz - mondal_parameters.saddle_mz) * direction.initial_mz < 0).mean()
    z = (switched - probability) / np.sqrt(probability * (1 - probability) / mz.size)
    assert 0.02 < probability < 0.98, "a point that says nothing"
    assert abs(z) < 3


def test_one_trajectory_answers_shorter_pulses(mondal_parameters: MacrospinParameters) -> None:
    """A pulse of its own for each width, on the same noise, ends where the longest pulse's trajectory passes."""
    arguments = (mondal_parameters, Direction.AP_TO_P, Drive.CURRENT, 75e-6)
    widths = [1e-9, 1.5e-9, 2.5e-9]
    start, field = path_of(mondal_parameters, Direction.AP_TO_P, widths[-1])
    times, m = trajectories(*arguments, start, field, STEP_S)
    for width in widths[:-1]:
        alone_times, alone = trajectories(*arguments, start, field, STEP_S, width_s=width, stop_s=width + 0.5e-9)
        for trial in range(TRIALS):
            one, other = (
                np.interp(width - STEP_S, t, waves[:, trial, 2]) for t, waves in ((times, m), (alone_times, alone))
            )
            # The separate run has the same points until its edge begins: equal within the solver's reltol of 1e-3.
            assert one == pytest.approx(other, abs=1e-3)
        after = on_grid(alone_times, alone, round((width + 0.5e-9) / STEP_S))[-1]
        assert np.abs(after - on_grid(times, m, round((width + 0.5e-9) / STEP_S))[-1]).max() > 0.02  # the pulse did end


def test_simulate_pulses_reads_its_widths_off_one_trajectory(mondal_parameters: MacrospinParameters) -> None:
    """In any order, and the same as a call with one width where that is the longest."""
    arguments = (mondal_parameters, Direction.AP_TO_P, Drive.CURRENT, 75e-6)
    several = simulate_pulses(*arguments, [1e-9, 0.5e-9], 4, np.random.default_rng(3), time_step_s=5e-12)
    one = simulate_pulses(*arguments, [1e-9], 4, np.random.default_rng(3), time_step_s=5e-12)
    assert several.mz.shape == (4, 2)
    assert several.reason is None
    np.testing.assert_allclose(several.mz[:, 0], one.mz[:, 0], atol=1e-9)
    assert (np.abs(several.mz[:, 1] - several.mz[:, 0]) > 1e-3).any()


def test_the_same_seed_gives_the_same_bytes(mondal_parameters: MacrospinParameters) -> None:
    runs = [
        simulate_pulses(
            mondal_parameters,
            Direction.P_TO_AP,
            Drive.VOLTAGE,
            0.8,
            [0.5e-9],
            3,
            np.random.default_rng(9),
            time_step_s=5e-12,
        ).mz.tobytes()
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_relaxation_takes_trials_into_the_wells(mondal_parameters: MacrospinParameters) -> None:
    """Trials that a pulse leaves on their way come to rest when it is over."""
    arguments = (mondal_parameters, Direction.AP_TO_P, Drive.CURRENT, 90e-6, [2e-9], 16)
    at_the_end = simulate_pulses(*arguments, np.random.default_rng(4), time_step_s=5e-12)
    relaxed = simulate_pulses(*arguments, np.random.default_rng(4), time_step_s=5e-12, relax_s=4e-9)
    assert (np.abs(relaxed.mz) > 0.7).mean() > (np.abs(at_the_end.mz) > 0.7).mean()
    far = np.abs(at_the_end.mz - mondal_parameters.saddle_mz) > 0.4  # too far from the saddle to come back
    same_side = (at_the_end.mz > mondal_parameters.saddle_mz) == (relaxed.mz > mondal_parameters.saddle_mz)
    assert same_side[far].all()


@pytest.mark.parametrize("current_a", [0.0, 145e-6])
def test_the_trapezoidal_rule_slows_damping_and_growth_as_claimed(
    mondal_parameters: MacrospinParameters, current_a: float
) -> None:
    """By (w dt)^2/4 (`junction.time_step`); without noise, the cone of a P junction, shrinking and opening."""
    rates, steps = [], (1e-12, 4e-12, 10e-12)
    for step in steps:
        start = np.array([[0.01, 0.0, np.sqrt(1 - 0.01**2)]])
        field = np.zeros((round(2e-9 / step) + 1, 1, 3))
        times, m = trajectories(mondal_parameters, Direction.P_TO_AP, Drive.CURRENT, current_a, start, field, step)
        late = times > 0.1e-9  # the first step of `uic` is not the trapezoidal rule's
        rates.append(np.polyfit(times[late], np.log(np.hypot(m[late, 0, 0], m[late, 0, 1])), 1)[0])
    angle = mondal_parameters.gamma_prime * (mondal_parameters.b_k_t + mondal_parameters.b_z_t) * np.array(steps)
    slow = 1 / (1 + angle**2 / 4)
    # The next order is (w dt)^4/16 at most, 1.4e-3 of the rate; ngspice's reltol of 1e-3 adds about as much.
    assert np.array(rates) / rates[0] == pytest.approx(slow / slow[0], abs=2.5e-3)


def test_a_step_that_does_not_resolve_precession_is_no_solution(mondal_parameters: MacrospinParameters) -> None:
    step = 100e-12
    start, field = path_of(mondal_parameters, Direction.P_TO_AP, 5e-9)
    with pytest.raises(UnphysicalError, match="shorter time step"):
        trajectories(mondal_parameters, Direction.P_TO_AP, Drive.CURRENT, 200e-6, start, field[:50], step)


@pytest.mark.parametrize(("drive", "level"), [(Drive.CURRENT, 120e-6), (Drive.VOLTAGE, 1.0)])
def test_the_deck_for_people_runs_with_ngspice_alone(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, tmp_path: Path, drive: Drive, level: float
) -> None:
    deck = write_pulse_deck(mondal, Direction.AP_TO_P, drive, level, 5e-9, tmp_path, np.random.default_rng(2))
    run = subprocess.run(
        ["ngspice", "-b", deck.name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    found = {key: float(value) for key, value in re.findall(r"^(\w+)\s+=\s+(\S+)", run.stdout, re.MULTILINE)}
    # Twice the switching current for 5 ns: not switching has a probability below 1e-6, so fresh noise does no harm.
    assert found["mz_final"] > 0.7
    assert 0.1e-9 < found["t_switch"] < 5.1e-9
    # The pulse's energy lies between those of the two states.
    energies = [
        level**2 * 5e-9 * (conductance if drive is Drive.VOLTAGE else 1 / conductance)
        for conductance in (_conductance(mondal_parameters, drive, level, mz) for mz in (-1.0, 1.0))
    ]
    assert min(energies) < found["e_write"] < max(energies)
    table = np.loadtxt(tmp_path / "mondal2018_pulse.txt", skiprows=1)
    # Variable steps, noise from trnoise: |m| holds here too.
    assert np.abs(np.linalg.norm(table[:, 1:4], axis=1) - 1).max() < 2e-3
    assert "time" in run.stdout  # the plot in characters


def _conductance(parameters: MacrospinParameters, drive: Drive, level: float, mz: float) -> float:
    """Return G at the pulse's voltage; under a current, without bias in AP, which bounds the energy from above."""
    return conductance_s(parameters, level if drive is Drive.VOLTAGE else 0.0, mz)


@pytest.mark.parametrize(("level", "width_s"), [(0.0, 1e-9), (-1e-5, 1e-9), (np.nan, 1e-9), (1e-5, 1e-12)])
def test_a_deck_of_no_pulse_is_refused(mondal: JunctionCard, tmp_path: Path, level: float, width_s: float) -> None:
    with pytest.raises(InputError):
        write_pulse_deck(mondal, Direction.AP_TO_P, Drive.CURRENT, level, width_s, tmp_path, np.random.default_rng(2))
    assert not list(tmp_path.iterdir())


def test_a_name_that_would_smuggle_a_line_writes_no_deck(mondal: JunctionCard, tmp_path: Path) -> None:
    evil = mondal.model_copy(update={"name": "x\n.control\nshell touch gone\n.endc"})
    with pytest.raises(InputError, match="cannot be written into a netlist"):
        write_pulse_deck(evil, Direction.AP_TO_P, Drive.CURRENT, 9e-5, 1e-9, tmp_path, np.random.default_rng(2))
    assert not list(tmp_path.iterdir())

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
FINER = 10
# Near these currents every trial switches, well within the run.
EVENTS = [
    (Direction.AP_TO_P, Drive.CURRENT, 90e-6),
    (Direction.P_TO_AP, Drive.CURRENT, 200e-6),
    (Direction.AP_TO_P, Drive.VOLTAGE, 0.81),
    (Direction.P_TO_AP, Drive.VOLTAGE, 0.98),
]


def path_of(
    parameters: MacrospinParameters, direction: Direction, duration_s: float, step_s: float = STEP_S
) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and a thermal field for TRIALS junctions."""
    rng = np.random.default_rng(20)
    start = boltzmann_start(parameters, direction, TRIALS, rng)
    return start, thermal_field_t(parameters, round(duration_s / step_s), TRIALS, step_s, rng)


def on_grid(times: np.ndarray, m: np.ndarray, samples: int, step_s: float = STEP_S) -> np.ndarray:
    """Return m at the noise's samples, (samples, trials, 3)."""
    grid = np.arange(samples) * step_s
    flat = m.reshape(times.size, -1)
    return np.stack([np.interp(grid, times, column) for column in flat.T], axis=1).reshape(samples, -1, 3)


def largest_difference(
    parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float, points: int
) -> tuple[float, np.ndarray]:
    """Return max |delta m_z| between ngspice and a finely stepped macrospin on one noise path, and ngspice's m."""
    start, field = path_of(parameters, direction, 2.5e-9)
    times, m = trajectories(parameters, direction, drive, level, start, field, STEP_S, points_per_sample=points)
    # The same straight lines between samples, followed in shorter steps: the error left is ngspice's own.
    fine = np.arange((len(field) - 1) * FINER + 1) / FINER
    field_fine = np.stack(
        [np.interp(fine, np.arange(len(field)), column) for column in field.reshape(len(field), -1).T], axis=1
    ).reshape(-1, TRIALS, 3)
    reference = macrospin.trajectory(parameters, direction, drive, level, start, field_fine, STEP_S / FINER)[::FINER]
    assert ((reference[-1, :, 2] - parameters.saddle_mz) * direction.initial_mz < 0).any(), "no switching event"
    return float(np.abs(on_grid(times, m, len(field)) - reference)[:, :, 2].max()), m


@pytest.mark.parametrize(("direction", "drive", "level"), EVENTS)
def test_the_same_noise_gives_the_macrospins_trajectory(
    mondal_parameters: MacrospinParameters, direction: Direction, drive: Drive, level: float
) -> None:
    difference, m = largest_difference(mondal_parameters, direction, drive, level, points=1)
    print(difference, np.abs(np.linalg.norm(m, axis=2) - 1).max())
    assert difference <= 0.005
    assert np.abs(np.linalg.norm(m, axis=2) - 1).max() <= 5e-4

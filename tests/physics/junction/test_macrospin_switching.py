"""Switching probabilities against the Fokker-Planck equation, which shares no code with the integrator."""

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.fokker_planck import switching_probability
from mtjspice.junction.macrospin import simulate_pulses
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import write_voltage_v

POINTS = [
    # direction, drive, starting current (A), width (s): P from about 0.05 to 0.95 in each of the four groups.
    (Direction.AP_TO_P, Drive.CURRENT, 60e-6, 2.5e-9),
    (Direction.AP_TO_P, Drive.CURRENT, 90e-6, 2.5e-9),
    (Direction.P_TO_AP, Drive.CURRENT, 140e-6, 2.5e-9),
    (Direction.P_TO_AP, Drive.CURRENT, 200e-6, 2.0e-9),
    (Direction.AP_TO_P, Drive.VOLTAGE, 53e-6, 2.5e-9),
    (Direction.AP_TO_P, Drive.VOLTAGE, 75e-6, 2.0e-9),
    (Direction.P_TO_AP, Drive.VOLTAGE, 160e-6, 2.5e-9),
    (Direction.P_TO_AP, Drive.VOLTAGE, 215e-6, 2.0e-9),
]


def _z(
    parameters: MacrospinParameters, point: tuple[Direction, Drive, float, float], trials: int, seed: int
) -> tuple[float, float]:
    """Return P by Fokker-Planck, and how many standard errors the Monte-Carlo lies above it."""
    direction, drive, current_a, width_s = point
    level = current_a if drive is Drive.CURRENT else write_voltage_v(parameters, direction, current_a)
    mz = simulate_pulses(parameters, direction, drive, level, [width_s], trials, np.random.default_rng(seed))
    switched = np.mean(direction.initial_mz * (mz - parameters.saddle_mz) < 0)
    p = switching_probability(parameters, direction, drive, level, width_s)
    return p, float((switched - p) / np.sqrt(p * (1 - p) / trials))


def test_two_points_agree_with_fokker_planck(mondal_parameters: MacrospinParameters) -> None:
    for seed, point in enumerate((POINTS[1], POINTS[6])):
        p, z = _z(mondal_parameters, point, 2000, seed)
        assert 0.02 < p < 0.98
        assert abs(z) < 3, (point, p, z)


@pytest.mark.slow
def test_eight_points_agree_with_fokker_planck(mondal_parameters: MacrospinParameters) -> None:
    found = [_z(mondal_parameters, point, 20_000, seed) for seed, point in enumerate(POINTS)]
    assert all(0.02 < p < 0.98 for p, _ in found), found
    z = np.array([z for _, z in found])
    # Eight points at three sigma: 2.1 % false alarms for the set. The step's bias is 0.1 sigma at P = 0.05.
    assert (np.abs(z) < 3).all(), found
    # And together: the sum of squares is chi-squared with 8 degrees of freedom; 26.1 is its 99.9 % point.
    assert np.sum(z**2) < 26.1, found

"""Pulses for wanted probabilities."""

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError, ModelError
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.pulse_programmer import (
    NO_PULSE,
    STRONGEST,
    PulseProgrammer,
    pulse_strength,
    pulse_tables,
    switching_probability,
)

DIRECTIONS = (Direction.AP_TO_P, Direction.P_TO_AP)


@pytest.fixture(scope="module")
def programmer(model: ArrayModel) -> PulseProgrammer:
    """Of any width."""
    return PulseProgrammer.of(model)


def on_surface(model: ArrayModel, programmer: PulseProgrammer, strength: np.ndarray) -> np.ndarray:
    """Return what the surfaces say of pulses out of AP and P, (2, n)."""
    drive = programmer.drive
    width_s = drive.t0_s + drive.t1_s * strength.clip(0, 1)
    found = []
    for direction in DIRECTIONS:
        v = drive.coefficients[direction].voltage_v((strength - 1).clip(0, 1))
        found.append(model.surfaces[direction].at(v, width_s, model.select_ohm))
    return np.array(found)


def test_probabilities_are_the_surfaces(model: ArrayModel, programmer: PulseProgrammer) -> None:
    strength = np.linspace(0, STRONGEST, 301)
    expected = on_surface(model, programmer, strength)
    for state in (0, 1):
        states, ones = np.full(len(strength), state), np.ones(len(strength))
        nominal = switching_probability(programmer.tables, states, strength)
        # The tables of `ideal_array`: 1e-4 of nominal junctions, 1e-3 of those that vary.
        np.testing.assert_allclose(nominal, expected[state], atol=1e-4)
        varied = switching_probability(programmer.tables, states, strength, ones, ones)
        np.testing.assert_allclose(varied, expected[state], atol=1e-3)


def test_small_probabilities_are_relatively_right(model: ArrayModel, programmer: PulseProgrammer) -> None:
    """Below 1e-3 too, where most updates lie."""
    strength = np.linspace(0, 1, 101)
    expected = on_surface(model, programmer, strength)
    for state in (0, 1):
        found = switching_probability(programmer.tables, np.full(101, state), strength)
        np.testing.assert_allclose(found, expected[state], rtol=5e-3)


def test_a_pulse_has_the_wanted_probability_on_average_over_directions(
    model: ArrayModel, programmer: PulseProgrammer
) -> None:
    least, largest = programmer.probability_range
    wanted = np.geomspace(least, largest, 200)
    pulses = programmer.pulses(wanted)
    mean = on_surface(model, programmer, pulses.strength).mean(axis=0)
    np.testing.assert_allclose(mean, wanted, rtol=5e-3)
    drive = programmer.drive
    assert (np.diff(pulses.width_s) >= 0).all()
    assert pulses.width_s.min() == pytest.approx(drive.t0_s)
    assert pulses.width_s.max() == pytest.approx(drive.t0_s + drive.t1_s)
    for direction in DIRECTIONS:
        coefficients = drive.coefficients[direction]
        assert pulses.current_a[direction][0] == pytest.approx(coefficients.i0_a)
        assert pulses.current_a[direction][-1] == pytest.approx(coefficients.i0_a + coefficients.i1_a)


def test_below_the_range_there_is_no_pulse_and_above_it_the_strongest(programmer: PulseProgrammer) -> None:
    least, largest = programmer.probability_range
    wanted = np.array([0.0, least * 0.99, least * 1.01, largest * 1.01, 1 - 2.0**-24])
    strength = pulse_strength(programmer.tables, wanted)
    assert (strength[:2] == NO_PULSE).all()
    assert 0 <= strength[2] < 0.01
    np.testing.assert_allclose(strength[3:], STRONGEST)
    assert (switching_probability(programmer.tables, np.zeros(2, int), strength[:2]) == 0).all()


@pytest.mark.parametrize("widths", [1, 2, 4])
def test_a_driver_with_a_few_widths(model: ArrayModel, programmer: PulseProgrammer, widths: int) -> None:
    """It gives the middle of the part in which the right width lies, at I0 whatever is wanted."""
    tables = pulse_tables(model, widths)
    wanted = np.geomspace(programmer.probability_range[0] * 1.001, 0.9, 500)
    strength = pulse_strength(tables, wanted)
    right = pulse_strength(programmer.tables, wanted)
    np.testing.assert_allclose(np.unique(strength), (np.arange(widths) + 0.5) / widths)
    within = right < 1
    assert (np.abs(strength - right)[within] <= 0.5 / widths + 1e-9).all()
    assert (strength[~within] == strength.max()).all()


def test_weaker_junctions_switch_less(programmer: PulseProgrammer) -> None:
    strength = np.linspace(0, STRONGEST, 50)
    for state in (0, 1):
        states = np.full(50, state)
        strong, nominal, weak = (
            switching_probability(programmer.tables, states, strength, *(np.full(50, r),) * 2) for r in (0.9, 1.0, 1.1)
        )
        assert (strong >= nominal).all()
        assert (nominal >= weak).all()


@pytest.mark.parametrize("wrong", [-0.1, 1.5, np.nan])
def test_what_is_no_probability(programmer: PulseProgrammer, wrong: float) -> None:
    with pytest.raises(InputError, match="a probability is out of range"):
        programmer.pulses(np.array([0.01, wrong]))


@pytest.mark.parametrize("wrong", [0.0, 1e-5, 0.95])
def test_what_no_pulse_has(programmer: PulseProgrammer, wrong: float) -> None:
    with pytest.raises(ModelError, match="no calibrated pulse switches with this probability") as caught:
        programmer.pulses(wrong)
    assert "allowed:" in str(caught.value)


def test_a_driver_without_widths(model: ArrayModel) -> None:
    with pytest.raises(InputError, match="a width or more"):
        pulse_tables(model, 0)

"""Resistance with bias: the published voltages, and the relations it must keep."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard, load_card
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import (
    antiparallel_resistance_ohm,
    conductance_s,
    critical_level,
    write_current_a,
    write_voltage_v,
)

PARAMETERS = {name: MacrospinParameters.from_card(load_card(name)) for name in ("interfacial65", "mondal2018")}
TILTS = [
    {"p_x": float(np.sin(tilt)), "p_z": float(np.cos(tilt)), "b_x_t": b_x_t}
    for tilt in (0.0, 1e-4, 0.3, 1.2)
    for b_x_t in (0.0, 0.02, -0.02)
]
junctions = st.sampled_from(list(PARAMETERS.values()))


@pytest.mark.parametrize("direction", list(Direction))
def test_published_currents_give_the_published_voltages(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    assert mondal.published is not None
    published = mondal.published.coefficients(direction)
    low = write_voltage_v(mondal_parameters, direction, published.i0_a)
    high = write_voltage_v(mondal_parameters, direction, published.i0_a + published.i1_a)
    # The paper prints two digits after the point, so half of the last one.
    assert low == pytest.approx(published.v_min_v, abs=0.005)
    assert high == pytest.approx(published.v_max_v, abs=0.005)


def test_parallel_write_voltages_to_the_third_digit(mondal_parameters: MacrospinParameters) -> None:
    assert write_voltage_v(mondal_parameters, Direction.P_TO_AP, 140e-6) == pytest.approx(0.683, abs=5e-4)
    assert write_voltage_v(mondal_parameters, Direction.P_TO_AP, 200e-6) == pytest.approx(0.976, abs=5e-4)


@given(
    parameters=junctions,
    tilt=st.sampled_from(TILTS),
    direction=st.sampled_from(list(Direction)),
    current=st.floats(1e-9, 1e-3),
)
def test_voltage_and_current_are_each_others_inverse(
    parameters: MacrospinParameters, tilt: dict[str, float], direction: Direction, current: float
) -> None:
    parameters = replace(parameters, **tilt)
    voltage = write_voltage_v(parameters, direction, current)
    # The iteration ends at rounding.
    assert write_current_a(parameters, direction, voltage) == pytest.approx(current, rel=1e-14)


@pytest.mark.parametrize("tilt", TILTS)
@pytest.mark.parametrize("direction", list(Direction))
def test_the_initial_state_is_its_well_seen_along_the_reference(
    mondal_parameters: MacrospinParameters, direction: Direction, tilt: dict[str, float]
) -> None:
    """Against a search of the energy over the whole x-z circle."""
    tilted = replace(mondal_parameters, **tilt)
    angle = np.linspace(-np.pi, np.pi, 400_001)
    mx, mz = np.sin(angle), np.cos(angle)
    energy = -(tilted.b_k_t * mz**2 / 2 + tilted.b_z_t * mz + tilted.b_x_t * mx)
    well = np.argmin(np.where(mz * direction.initial_mz > 0, energy, np.inf))
    c = tilted.p_x * mx[well] + tilted.p_z * mz[well]
    # Half a cell of the search, 8e-6 rad, and the minimum in m_z, known to 1e-6 in angle.
    assert tilted.initial_projection(direction) == pytest.approx(c, abs=2e-5)
    assert write_current_a(tilted, direction, 0.7) == pytest.approx(0.7 * conductance_s(tilted, 0.7, c), rel=2e-5)


def test_a_tilted_reference_lowers_the_current_of_p_and_raises_that_of_ap(
    mondal_parameters: MacrospinParameters,
) -> None:
    tilted = replace(mondal_parameters, p_x=float(np.sin(0.3)), p_z=float(np.cos(0.3)))
    assert tilted.initial_projection(Direction.P_TO_AP) == pytest.approx(np.cos(0.3))
    for direction, sign in ((Direction.P_TO_AP, -1), (Direction.AP_TO_P, 1)):
        change = write_current_a(tilted, direction, 0.7) - write_current_a(mondal_parameters, direction, 0.7)
        # Conductance is linear in c, so both change by as much: (1 - cos) of half the difference of the states.
        half = 0.7 * (conductance_s(tilted, 0.7, 1.0) - conductance_s(tilted, 0.7, -1.0)) / 2
        assert sign * change == pytest.approx((1 - np.cos(0.3)) * half, rel=1e-9)


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_without_a_tilt_p_has_its_resistance_to_the_last_bit(parameters: MacrospinParameters) -> None:
    for current in np.geomspace(1e-12, 1e-3, 50).tolist():
        assert write_voltage_v(parameters, Direction.P_TO_AP, current) == current * parameters.r_p_ohm
    assert parameters.initial_projection(Direction.P_TO_AP) == 1
    assert parameters.initial_projection(Direction.AP_TO_P) == -1


@pytest.mark.parametrize("direction", list(Direction))
def test_no_current_needs_no_voltage(mondal_parameters: MacrospinParameters, direction: Direction) -> None:
    assert write_voltage_v(mondal_parameters, direction, 0.0) == 0


@pytest.mark.parametrize("direction", list(Direction))
def test_the_critical_voltage_carries_the_critical_current(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    voltage = critical_level(mondal_parameters, direction, Drive.VOLTAGE)
    current = critical_level(mondal_parameters, direction, Drive.CURRENT)
    assert current == mondal_parameters.critical_current_a(direction)
    assert write_current_a(mondal_parameters, direction, voltage) == pytest.approx(current, rel=1e-9)


@given(parameters=junctions, v=st.floats(-2, 2), mz=st.floats(-1, 1))
def test_conductance_lies_between_the_states_and_is_even_in_bias(
    parameters: MacrospinParameters, v: float, mz: float
) -> None:
    g_p, g_ap = conductance_s(parameters, v, 1.0), conductance_s(parameters, v, -1.0)
    g = conductance_s(parameters, v, mz)
    assert g_ap * (1 - 1e-12) <= g <= g_p * (1 + 1e-12)
    assert g == conductance_s(parameters, -v, mz)
    assert g_p == pytest.approx(1 / parameters.r_p_ohm)
    assert g_ap == pytest.approx(1 / antiparallel_resistance_ohm(parameters, v))


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_bias_lowers_the_antiparallel_resistance_to_half_tmr_at_v_h(parameters: MacrospinParameters) -> None:
    v = np.linspace(0, 5, 501)
    r = antiparallel_resistance_ohm(parameters, v)
    assert r[0] == pytest.approx(parameters.r_p_ohm * (1 + parameters.tmr0))
    assert np.all(np.diff(r) < 0)
    assert np.all(r > parameters.r_p_ohm)
    half = antiparallel_resistance_ohm(parameters, parameters.v_h_v)
    assert half == pytest.approx(parameters.r_p_ohm * (1 + parameters.tmr0 / 2))


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_current_rises_with_voltage_in_both_states(parameters: MacrospinParameters) -> None:
    v = np.linspace(0, 5, 2001)
    for mz in (-1.0, 0.0, 1.0):
        assert np.all(np.diff(v * conductance_s(parameters, v, mz)) > 0)


def test_arrays_broadcast(mondal_parameters: MacrospinParameters) -> None:
    g = conductance_s(mondal_parameters, np.linspace(0, 1, 3)[:, None], np.linspace(-1, 1, 5))
    assert g.shape == (3, 5)

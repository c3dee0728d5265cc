"""Resistance with bias: the published voltages, and the relations it must keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard, load_card
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import (
    antiparallel_resistance_ohm,
    conductance_s,
    write_current_a,
    write_voltage_v,
)

PARAMETERS = {name: MacrospinParameters.from_card(load_card(name)) for name in ("interfacial65", "mondal2018")}
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


@given(parameters=junctions, direction=st.sampled_from(list(Direction)), current=st.floats(1e-9, 1e-3))
def test_voltage_and_current_are_each_others_inverse(
    parameters: MacrospinParameters, direction: Direction, current: float
) -> None:
    voltage = write_voltage_v(parameters, direction, current)
    # brentq stops at 4 ulp; a volt to 1e-15 is worse than that only below a nanovolt.
    assert write_current_a(parameters, direction, voltage) == pytest.approx(current, rel=1e-9)


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

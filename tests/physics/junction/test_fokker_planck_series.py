"""A junction behind a series resistance: Kirchhoff's law, both limits, and an independent Fokker-Planck solution."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.sparse import diags_array

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard, load_card
from mtjspice.errors import InputError, ModelError
from mtjspice.junction.fokker_planck import switching_probabilities, switching_probabilities_in_series
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s, write_current_a
from mtjspice.junction.series import series_current_a

WIDTHS_S = [0.4e-9, 1.0e-9, 1.5e-9, 2.5e-9, 5e-9]
PARAMETERS = MacrospinParameters.from_card(load_card("mondal2018"))


@given(
    direction=st.sampled_from(Direction),
    v=st.floats(1e-6, 3.0),
    r=st.one_of(st.just(0.0), st.floats(1.0, 1e6)),
    tmr0=st.floats(0.0, 30.0),
)
def test_the_current_obeys_kirchhoff_and_the_junction(direction: Direction, v: float, r: float, tmr0: float) -> None:
    parameters = replace(PARAMETERS, tmr0=tmr0)
    mz = np.linspace(-1, 1, 9)
    i = series_current_a(parameters, direction, v, r, mz)
    initial = float(direction.initial_mz)
    source_v = v + r * v * conductance_s(parameters, v, initial)
    junction_v = source_v - r * i
    # Rounding of the source's voltage, of which the junction may see a thousandth.
    rounding = 1e-14 * source_v / junction_v
    assert (np.abs(junction_v * conductance_s(parameters, junction_v, mz) / i - 1) < 1e-12 + 3 * rounding).all()
    assert i[0 if initial < 0 else -1] == pytest.approx(v * conductance_s(parameters, v, initial), rel=1e-13)
    # More parallel carries more.
    assert (np.diff(i) >= -1e-13 * i[0]).all()


@pytest.mark.parametrize("direction", Direction)
def test_no_resistance_is_voltage_drive(mondal_parameters: MacrospinParameters, direction: Direction) -> None:
    voltages = [0.0, 0.3, 0.7, 1.1, 1.8]
    voltage_drive = switching_probabilities(mondal_parameters, direction, Drive.VOLTAGE, voltages, WIDTHS_S)
    in_series = switching_probabilities_in_series(mondal_parameters, direction, voltages, WIDTHS_S, 0.0)
    assert (in_series == voltage_drive).all()


@pytest.mark.parametrize("direction", Direction)
def test_a_large_resistance_is_current_drive(mondal_parameters: MacrospinParameters, direction: Direction) -> None:
    voltages = [0.3, 0.6, 0.8, 1.1]
    currents = [write_current_a(mondal_parameters, direction, v) for v in voltages]
    current_drive = switching_probabilities(mondal_parameters, direction, Drive.CURRENT, currents, WIDTHS_S)

    def distance(r_ohm: float) -> float:
        p = switching_probabilities_in_series(mondal_parameters, direction, voltages, WIDTHS_S, r_ohm)
        return float(np.abs(p - current_drive).max())

    # What is left of the voltage's influence falls as 1/r; infinity leaves rounding.
    assert distance(1e6) < 5e-3
    assert distance(1e7) == pytest.approx(distance(1e6) / 10, rel=0.05)
    assert distance(math.inf) < 1e-11


@pytest.mark.parametrize("direction", Direction)
def test_probability_goes_from_one_drive_to_the_other(
    mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    """Voltage drive helps AP -> P, as the current rises while m turns, and hinders P -> AP."""
    p = np.array(
        [
            switching_probabilities_in_series(mondal_parameters, direction, [0.7, 0.9], WIDTHS_S[1:4], r)
            for r in (0.0, 30.0, 300.0, 1e3, 3e3, 1e4, 3e4, math.inf)
        ]
    )
    assert (np.diff(p, axis=0) * direction.initial_mz > 0).all()


def finite_volumes(
    card: JunctionCard, direction: Direction, v: float, r_ohm: float, width_s: float, cells: int
) -> float:
    """Return P by upwinded fluxes between cells equally wide in theta and a stiff integrator.

    Made from the card's own numbers and CODATA; the current of each face is a root of Kirchhoff's law.
    """
    moment = card.free_layer.ms_a_per_m * math.pi * card.geometry.diameter_m**2 / 4
    moment *= card.geometry.free_layer_thickness_m
    b_k, b_z, alpha = card.free_layer.anisotropy_field_t, card.field.stray_field_t, card.free_layer.alpha
    assert b_k is not None
    assert card.resistance.r_p_ohm is not None
    gamma = constants.physical_constants["electron gyromag. ratio"][0]
    tau_d_s = (1 + alpha**2) / (alpha * gamma * b_k)
    twice_delta = moment * b_k / (constants.k * card.temperature_k)
    polarization, r_p, tmr0, v_h = (
        card.torque.polarization,
        card.resistance.r_p_ohm,
        card.resistance.tmr0,
        card.resistance.v_h_v,
    )

    def current(voltage: float, mz: float) -> float:
        ap = voltage / (r_p * (1 + tmr0 / (1 + (voltage / v_h) ** 2)))
        return (1 + mz) / 2 * voltage / r_p + (1 - mz) / 2 * ap

    initial = -1.0 if direction is Direction.AP_TO_P else 1.0
    source = v + r_ohm * current(v, initial)
    saddle = math.acos(-b_z / b_k)
    faces = np.concatenate((np.linspace(0, saddle, cells + 1), np.linspace(saddle, math.pi, cells + 1)[1:]))
    centres, volumes = (faces[1:] + faces[:-1]) / 2, -np.diff(np.cos(faces))
    mz, step = np.cos(faces[1:-1]), -np.diff(np.cos(centres))
    amperes = np.array(
        [current(brentq(lambda u, z=z: u + r_ohm * current(u, z) - source, 0.0, source, xtol=1e-14), z) for z in mz]
    )
    torque = constants.hbar / (2 * constants.e * moment) * polarization / (1 + polarization**2 * mz)
    peclet = (mz + b_z / b_k - initial * amperes * torque / (alpha * b_k)) * twice_delta * step
    conductance = (1 - mz**2) / (twice_delta * step)
    up, down = conductance * peclet / -np.expm1(-peclet), conductance * peclet / np.expm1(peclet)
    diagonal = -(np.append(down / volumes[:-1], 0) + np.insert(up / volumes[1:], 0, 0))
    matrix = diags_array([diagonal, up / volumes[1:], down / volumes[:-1]], offsets=[0, 1, -1]).tocsc()
    energy = -twice_delta * (np.cos(centres) ** 2 / 2 + np.cos(centres) * b_z / b_k)
    well = (np.arange(2 * cells) >= cells) if initial < 0 else (np.arange(2 * cells) < cells)
    start = np.where(well, volumes * np.exp(-(energy - energy[well].min())), 0)
    end = solve_ivp(
        lambda _, p: matrix @ p,
        (0, width_s / tau_d_s),
        start / start.sum(),
        method="BDF",
        jac=matrix,
        rtol=1e-7,
        atol=1e-10,
    ).y[:, -1]
    return float(end[~well].sum())


@pytest.mark.parametrize(
    ("direction", "v", "r_ohm", "width_s"),
    [
        (Direction.AP_TO_P, 0.65, 300.0, 2.2e-9),
        (Direction.AP_TO_P, 0.75, 3e3, 2.0e-9),
        (Direction.AP_TO_P, 0.80, 3e4, 2.0e-9),
        (Direction.P_TO_AP, 0.95, 300.0, 2.0e-9),
        (Direction.P_TO_AP, 0.95, 3e3, 2.0e-9),
        (Direction.P_TO_AP, 0.80, 3e4, 2.0e-9),
    ],
)
def test_an_independent_solver_agrees(
    mondal: JunctionCard,
    mondal_parameters: MacrospinParameters,
    direction: Direction,
    v: float,
    r_ohm: float,
    width_s: float,
) -> None:
    p = float(switching_probabilities_in_series(mondal_parameters, direction, [v], [width_s], r_ohm)[0, 0])
    coarse, fine = (finite_volumes(mondal, direction, v, r_ohm, width_s, cells) for cells in (200, 400))
    # Second order in the cell; extrapolated, the rest was measured as 3.4e-4 at most.
    assert fine + (fine - coarse) / 3 == pytest.approx(p, rel=5e-4)


@pytest.mark.parametrize("r_ohm", [-1.0, math.nan])
def test_a_negative_resistance_is_refused(mondal_parameters: MacrospinParameters, r_ohm: float) -> None:
    with pytest.raises(InputError, match=r"not negative(.|\n)*ohm"):
        switching_probabilities_in_series(mondal_parameters, Direction.AP_TO_P, [0.5], [1e-9], r_ohm)


def test_impossible_pulses_are_refused(mondal_parameters: MacrospinParameters) -> None:
    with pytest.raises(InputError, match="a pulse's level"):
        switching_probabilities_in_series(mondal_parameters, Direction.AP_TO_P, [-0.5], [1e-9], 1e3)
    with pytest.raises(ModelError, match=r"so strong a drive(.|\n)*critical voltage"):
        switching_probabilities_in_series(mondal_parameters, Direction.AP_TO_P, [500.0], [1e-9], 1e3)

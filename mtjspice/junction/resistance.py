"""Resistance of the junction: conductance linear in m . p, TMR falling with bias."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.parameters import MacrospinParameters

FloatOrArray = TypeVar("FloatOrArray", float, np.ndarray)

_HALVINGS = 54
"""Of the error of ln V: from about 1 to a rounding."""


def antiparallel_resistance_ohm(parameters: MacrospinParameters, v_v: FloatOrArray) -> FloatOrArray:
    """Return R_AP(V) = R_P (1 + TMR0/(1 + (V/V_h)^2)); any shape."""
    tmr = parameters.tmr0 / (1 + (v_v / parameters.v_h_v) ** 2)
    return parameters.r_p_ohm * (1 + tmr)


def conductance_s(parameters: MacrospinParameters, v_v: FloatOrArray, mz: FloatOrArray) -> FloatOrArray:
    """Return G(V, m) = (G_P + G_AP(V))/2 + m (G_P - G_AP(V))/2; `v_v` and `mz` broadcast.

    `mz` stands for m . p, the projection on the reference layer.
    """
    g_p = 1 / parameters.r_p_ohm
    g_ap = 1 / antiparallel_resistance_ohm(parameters, v_v)
    return (g_p + g_ap) / 2 + mz * (g_p - g_ap) / 2


def voltage_at_current(
    i_a: FloatOrArray, resistance_ohm: Callable[[FloatOrArray], FloatOrArray], start_v: FloatOrArray
) -> FloatOrArray:
    """Return V with V = I R(V), for an R that V lowers, but by less than a factor of V^2; any shape.

    R of a junction is one: d ln R/d ln V lies between -2 and 0 at any TMR, so that the geometric mean of V and I R(V)
    is at least twice as near to the solution as V is, on the scale of ln V. `start_v` is positive where I is.
    """
    v = start_v
    for _ in range(_HALVINGS):
        v = np.sqrt(v * (i_a * resistance_ohm(v)))
    return v


def write_voltage_v(parameters: MacrospinParameters, direction: Direction, i_write_a: FloatOrArray) -> FloatOrArray:
    """Return the magnitude of the voltage at which the *initial* state of `direction` carries `i_write_a`; any shape.

    That state is the energy minimum at zero current, c = m . p, and V solves V G(V, c) = I. Where nothing tilts m or p,
    V_P = I R_P and V_AP = I R_AP(V_AP) (Mondal & Srivastava, section 4.3, with the bias dependence of the TMR).
    """
    c = parameters.initial_projection(direction)

    def resistance_ohm(v_v: FloatOrArray) -> FloatOrArray:
        """Return 1/G, written so that c = 1 and c = -1 give R_P and R_P (1 + tmr) without rounding."""
        tmr = parameters.tmr0 / (1 + (v_v / parameters.v_h_v) ** 2)
        return parameters.r_p_ohm * (1 + tmr * (1 - c) / 2 / (1 + tmr * (1 + c) / 2))

    return voltage_at_current(i_write_a, resistance_ohm, i_write_a * parameters.r_p_ohm)


def write_current_a(parameters: MacrospinParameters, direction: Direction, v_write_v: float) -> float:
    """Return the current that the *initial* state of `direction` carries at `v_write_v`; the inverse of the above."""
    return v_write_v * conductance_s(parameters, v_write_v, parameters.initial_projection(direction))


def critical_level(parameters: MacrospinParameters, direction: Direction, drive: Drive) -> float:
    """Return the critical current, or the voltage at which the initial state carries it."""
    i_c0 = parameters.critical_current_a(direction)
    return i_c0 if drive is Drive.CURRENT else write_voltage_v(parameters, direction, i_c0)

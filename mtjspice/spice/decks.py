"""A junction's physics as the contexts that the netlist templates take."""

import math
from pathlib import Path

import numpy as np

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import InputError
from mtjspice.files import make_folder, write_text
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.pulse_checks import check_amount
from mtjspice.junction.thermal import boltzmann_start, thermal_field_sigma_t
from mtjspice.junction.time_step import check_torque
from mtjspice.netlist.context import JunctionContext, PulseContext
from mtjspice.netlist.render import render_pulse
from mtjspice.units import GAMMA_RAD_PER_S_T

MOST_TRIAL_STEPS = 10**7
"""In one run: some two minutes, and 2 GB of noise and waveforms."""
_RESTORING_PER_NS = 20.0
"""Pulls |m| to 1 within 50 ps in decks with variable steps, where m would drift.

With equal steps the trapezoidal rule keeps |m|^2 + |dt/2 dm/dt|^2, so campaigns do without, a quarter faster.
"""


def junction_context(
    parameters: MacrospinParameters,
    *,
    conducts: bool = True,
    restoring_per_ns: float = 0.0,
    varies: bool = False,
) -> JunctionContext:
    """Return the numbers of the junction's subcircuit.

    Args:
        conducts: False makes the terminals a short: for where a source imposes the current.
        restoring_per_ns: rate at which |m| is pulled to 1.
        varies: whether instances have resistances of their own.
    """
    return JunctionContext(
        alpha=parameters.alpha,
        gamma_rad_per_ns_t=GAMMA_RAD_PER_S_T * 1e-9,
        restoring_per_ns=restoring_per_ns,
        b_k_t=parameters.b_k_t,
        b_z_t=parameters.b_z_t,
        b_x_t=parameters.b_x_t,
        torque_t_per_a=parameters.torque_t_per_a,
        asymmetry=parameters.asymmetry,
        p_x=parameters.p_x,
        p_z=parameters.p_z,
        r_p_ohm=parameters.r_p_ohm,
        tmr0=parameters.tmr0,
        v_h_v=parameters.v_h_v,
        conducts=conducts,
        varies=varies,
    )


def pulse_context(
    card: JunctionCard,
    direction: Direction,
    drive: Drive,
    level: float,
    width_s: float,
    start: np.ndarray,
    *,
    edge_s: float = 50e-12,
    relax_s: float = 3e-9,
    time_step_s: float = 5e-12,
) -> PulseContext:
    """Return the numbers of the deck of one write pulse.

    Args:
        level: magnitude in the drive's unit; the direction gives the sign.
        width_s: of the pulse at 50 %.
        start: (3,), unit vector.

    Raises:
        InputError: a level, width or edge that makes no pulse.
    """
    if not (0 < level < math.inf and 0 < edge_s < width_s < math.inf and relax_s >= 0 and time_step_s > 0):
        raise InputError(
            "these numbers make no pulse",
            given=f"level {level:g} {drive.unit}, width {width_s:g} s, edges {edge_s:g} s",
            allowed="a level above 0, and a width above its edges",
        )
    parameters = MacrospinParameters.from_card(card)
    check_torque(parameters, drive, level, time_step_s)
    delay_s = 2 * edge_s
    check_amount(delay_s + width_s + relax_s, time_step_s, 1, MOST_TRIAL_STEPS)
    mx, my, mz = start.tolist()
    return PulseContext(
        junction=junction_context(parameters, restoring_per_ns=_RESTORING_PER_NS),
        card=card.name,
        direction=direction.label,
        drive=drive,
        level=direction.current_sign * level,
        width_s=width_s,
        edge_s=edge_s,
        delay_s=delay_s,
        stop_s=delay_s + width_s + relax_s,
        time_step_s=time_step_s,
        thermal_field_sigma_t=thermal_field_sigma_t(parameters, time_step_s),
        saddle_mz=parameters.saddle_mz,
        start=(mx, my, mz),
    )


def write_pulse_deck(
    card: JunctionCard,
    direction: Direction,
    drive: Drive,
    level: float,
    width_s: float,
    folder: Path,
    rng: np.random.Generator,
) -> Path:
    """Write the deck of one write pulse, to be opened and run by people with ngspice alone, and return its path.

    m starts at a draw from equilibrium; the rest is as in `pulse_context`.

    Raises:
        InputError: numbers that make no pulse, or a name that must not enter a deck.
        OutputError: the folder cannot be written.
    """
    start = boltzmann_start(MacrospinParameters.from_card(card), direction, 1, rng)[0]
    text = render_pulse(pulse_context(card, direction, drive, level, width_s, start))
    path = make_folder(folder) / f"{card.name}_pulse.cir"
    write_text(path, text)
    return path

"""What follows from a junction card."""

from typing import Any

import numpy as np

from mtjspice.calibration.sources import ExactSource, Question
from mtjspice.cards.array import ArrayCard
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import ModelError
from mtjspice.junction.closed_form import attempt_time_s, retention_s
from mtjspice.junction.fokker_planck import escape_time_s, switching_probability
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm, write_voltage_v
from mtjspice.switching.points import Engine


def summarise(card: JunctionCard, campaign: CampaignCard, array: ArrayCard) -> dict[str, Any]:
    """Return the derived quantities as plain data, SI units; `card show` prints them.

    Write levels and the read disturb need Fokker-Planck; they are None for a card without axial symmetry, whose
    critical currents and attempt times are those of the same card without the field in the plane and the tilt. Write
    levels are None, too, where no current gives the campaign's P0.
    """
    parameters = MacrospinParameters.from_card(card)
    symmetric = parameters.is_axially_symmetric
    source = ExactSource(Engine.FOKKER_PLANCK, parameters, campaign)
    short_s, long_s = campaign.targets.t0_s, campaign.targets.t0_s + campaign.targets.t1_s
    summary: dict[str, Any] = {
        "name": card.name,
        "is_axially_symmetric": symmetric,
        "anisotropy_field_t": parameters.b_k_t,
        "area_m2": card.area_m2,
        "delta_without_field": parameters.delta,
        "saddle_mz": parameters.saddle_mz + 0.0,  # not -0
        "tau_d_s": parameters.tau_d_s,
        "r_p_ohm": parameters.r_p_ohm,
        "r_ap_ohm": [
            {"v_v": float(v), "r_ap_ohm": float(antiparallel_resistance_ohm(parameters, v))}
            for v in np.linspace(0, 1, 6)
        ],
    }
    for direction in Direction:
        entry: dict[str, Any] = {
            "delta": parameters.delta_from(direction),
            "i_c0_a": parameters.critical_current_a(direction),
            "attempt_time_s": attempt_time_s(parameters, direction),
            "retention_s": escape_time_s(parameters, direction) if symmetric else retention_s(parameters, direction),
            "i_write_a": None,
            "v_write_v": None,
            "read_disturb_probability": None,
        }
        if symmetric:
            if currents := _write_currents_a(source, direction, (long_s, short_s)):
                entry["i_write_a"] = currents
                entry["v_write_v"] = [write_voltage_v(parameters, direction, i) for i in currents]
            entry["read_disturb_probability"] = _read_disturb(parameters, direction, array)
        summary[direction.value] = entry
    return summary | {"v_read_v": array.read.v_read_v, "t_read_s": array.read.t_read_s}


def _write_currents_a(source: ExactSource, direction: Direction, widths_s: tuple[float, float]) -> list[float] | None:
    """Return the currents where P = P0, or None where there are none, as in a junction that hardly holds its state."""
    try:
        answers = source.thresholds([Question(direction, Drive.CURRENT, width) for width in widths_s])
    except ModelError:
        return None
    return [answer.threshold.level for answer in answers]


def _read_disturb(parameters: MacrospinParameters, direction: Direction, array: ArrayCard) -> float:
    """Return the probability that one read with the sign that favours `direction` switches the junction."""
    try:
        escape_s = escape_time_s(parameters, direction, Drive.VOLTAGE, array.read.v_read_v)
    except ModelError:  # no barrier is left: the read is a write
        return switching_probability(parameters, direction, Drive.VOLTAGE, array.read.v_read_v, array.read.t_read_s)
    return -float(np.expm1(-array.read.t_read_s / escape_s))

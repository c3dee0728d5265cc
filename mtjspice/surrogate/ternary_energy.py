"""Energy and throughput of ternary synapses by formulas, the numbers that give the published ones, and sensitivities.

For each synapse of an array of M rows by N columns:

    read    activity V^2 (G_P + G_AP) t + E_sense/M + activity E_driver/N
    write   share (t (I_ap_to_p V_ap_to_p + I_p_to_ap V_p_to_ap) + E_driver)

A read drives both junctions wherever the input is not 0, and one of W = 0 as the mean of its two ways. A write has both
junctions in the state that they are driven out of.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from mtjspice.cards.conventions import Direction
from mtjspice.cards.ternary_energy import TernaryEnergyCard
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm, write_voltage_v

SCHEMA = 1
FACTOR = 2.0
"""By which a sensitivity divides and multiplies a parameter."""
_LEAST, _MOST = 1e-4, 1e4
"""Times the card's value: how far a parameter is looked for that gives a published number."""


@dataclass(frozen=True)
class SynapseEnergy:
    """What one synapse takes in a read, or in an update, J, and what that makes of the array.

    Args:
        junctions_j: in both junctions.
        sense_j: its part of the sense amplifier.
        driver_j: its part of the drivers.
        ops: operations that it stands for.
        tops: operations of the whole array in a second, 1e12.
    """

    junctions_j: float
    sense_j: float
    driver_j: float
    ops: float
    tops: float

    @property
    def total_j(self) -> float:
        """All of it."""
        return self.junctions_j + self.sense_j + self.driver_j

    @property
    def tops_per_w(self) -> float:
        """1e12 operations for a joule."""
        return self.ops / self.total_j * 1e-12

    def to_json(self) -> dict[str, float]:
        """Return it as plain data."""
        return {**vars(self), "total_j": self.total_j, "tops_per_w": self.tops_per_w}


@dataclass(frozen=True)
class EnergySet:
    """Numbers that give a published one: what is set, and which parameter was looked for, or None where none does it.

    Args:
        text: the set in words.
        kind: ``read`` or ``write``.
        changed: parameters that differ from the card's.
        solved: the parameter that was looked for.
        value: of it, in its own unit.
        energy: what comes of it.
    """

    text: str
    kind: str
    changed: dict[str, float]
    solved: str
    value: float | None
    energy: SynapseEnergy | None

    def to_json(self) -> dict[str, Any]:
        """Return the set as plain data."""
        return {**vars(self), "energy": self.energy.to_json() if self.energy else None}


@dataclass(frozen=True)
class Sensitivity:
    """TOPs/W with one parameter divided and multiplied by `FACTOR`; shares end at 1."""

    kind: str
    parameter: str
    low: float
    high: float


@dataclass(frozen=True)
class TernaryEnergyReport:
    """Everything that `mtjspice ternary energy` says, but for SPICE."""

    card: TernaryEnergyCard
    read: SynapseEnergy
    write: SynapseEnergy
    sets: tuple[EnergySet, ...]
    sensitivities: tuple[Sensitivity, ...]

    def energy(self, kind: str) -> SynapseEnergy:
        """Return that of ``read`` or ``write``."""
        return self.read if kind == "read" else self.write

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "schema": SCHEMA,
            "card": self.card.model_dump(mode="json", by_alias=True),
            "read": self.read.to_json(),
            "write": self.write.to_json(),
            "sets": [found.to_json() for found in self.sets],
            "sensitivities": [vars(found) for found in self.sensitivities],
        }


_BARE_READ = {"e_sense_j": 0.0, "e_driver_j": 0.0}
_SETS: tuple[tuple[str, str, dict[str, float], str], ...] = (
    ("the card's, by its sense amplifier", "read", {}, "e_sense_j"),
    ("junctions alone, by their voltage", "read", _BARE_READ, "v_read_v"),
    ("junctions alone, by their time", "read", _BARE_READ, "t_read_s"),
    ("half of the inputs 0, by the sense amplifier", "read", {"activity": 0.5}, "e_sense_j"),
    ("0.1 V, by the sense amplifier", "read", {"v_read_v": 0.1}, "e_sense_j"),
    ("junctions alone, one operation, by their time", "read", {**_BARE_READ, "ops_per_synapse": 1.0}, "t_read_s"),
    ("junctions alone, by their time", "write", {"e_driver_j": 0.0}, "t_write_s"),
    ("1.5 ns, by the drivers", "write", {"t_write_s": 1.5e-9}, "e_driver_j"),
    ("half of the synapses, by the drivers", "write", {"share": 0.5}, "e_driver_j"),
    ("a tenth of the synapses, by the drivers", "write", {"share": 0.1}, "e_driver_j"),
    ("two operations, by the time", "write", {"ops_per_synapse": 2.0}, "t_write_s"),
)
"""(text, kind, what differs from the card, which parameter is looked for)."""
_SMALLEST_J, _LARGEST_J = 1e-18, 1e-6
_SENSITIVE = {
    "read": ("v_read_v", "t_read_s", "activity", "e_sense_j", "e_driver_j", "array.rows", "array.columns"),
    "write": ("i_ap_to_p_a", "i_p_to_ap_a", "t_write_s", "share", "e_driver_j"),
}


def ternary_energy(card: TernaryEnergyCard, parameters: MacrospinParameters) -> TernaryEnergyReport:
    """Return energies and throughput of the card, the sets that give the published numbers, and sensitivities.

    Args:
        parameters: of the junctions.
    """
    return TernaryEnergyReport(
        card=card,
        read=read_energy(card, parameters),
        write=write_energy(card, parameters),
        sets=tuple(_solved(card, parameters, *described) for described in _SETS),
        sensitivities=tuple(
            _sensitivity(card, parameters, kind, name) for kind, names in _SENSITIVE.items() for name in names
        ),
    )


def read_energy(card: TernaryEnergyCard, parameters: MacrospinParameters) -> SynapseEnergy:
    """Return what a read takes for each synapse; all rows and columns are read at once."""
    read, array = card.read, card.array
    return SynapseEnergy(
        junctions_j=read.activity * junctions_read_j(parameters, read.v_read_v, read.t_read_s),
        sense_j=read.e_sense_j / array.rows,
        driver_j=read.activity * read.e_driver_j / array.columns,
        ops=read.ops_per_synapse,
        tops=read.ops_per_synapse * array.rows * array.columns / read.t_read_s * 1e-12,
    )


def write_energy(card: TernaryEnergyCard, parameters: MacrospinParameters) -> SynapseEnergy:
    """Return what an update takes for each synapse, pulsed or not; a row takes two pulses, one for each sign."""
    write = card.write
    currents_a = {Direction.AP_TO_P: write.i_ap_to_p_a, Direction.P_TO_AP: write.i_p_to_ap_a}
    return SynapseEnergy(
        junctions_j=write.share * junctions_write_j(parameters, currents_a, write.t_write_s),
        sense_j=0.0,
        driver_j=write.share * write.e_driver_j,
        ops=write.ops_per_synapse,
        tops=write.ops_per_synapse * card.array.columns / (2 * write.t_write_s) * 1e-12,
    )


def junctions_read_j(parameters: MacrospinParameters, v_v: float, t_s: float) -> float:
    """Return V^2 (G_P + G_AP(V)) t."""
    return v_v**2 * (1 / parameters.r_p_ohm + 1 / antiparallel_resistance_ohm(parameters, v_v)) * t_s


def junctions_write_j(parameters: MacrospinParameters, currents_a: dict[Direction, float], t_s: float) -> float:
    """Return t sum(I V), each junction at the voltage at which its initial state carries its current."""
    power_w = sum(i_a * float(write_voltage_v(parameters, way, i_a)) for way, i_a in currents_a.items())
    return t_s * power_w


def _energy(card: TernaryEnergyCard, parameters: MacrospinParameters, kind: str) -> SynapseEnergy:
    return read_energy(card, parameters) if kind == "read" else write_energy(card, parameters)


def _with(card: TernaryEnergyCard, kind: str, values: dict[str, float]) -> TernaryEnergyCard:
    """Return the card with other values in its table `kind`."""
    return card.model_copy(update={kind: getattr(card, kind).model_copy(update=values)})


def _solved(
    card: TernaryEnergyCard,
    parameters: MacrospinParameters,
    text: str,
    kind: str,
    changed: dict[str, float],
    solved: str,
) -> EnergySet:
    start = _with(card, kind, changed)
    wanted = card.published.read_tops_per_w if kind == "read" else card.published.write_tops_per_w

    def excess(log_value: float) -> float:
        """Return ln of TOPs/W over what is wanted: it falls as the parameter grows."""
        found = _energy(_with(start, kind, {solved: float(np.exp(log_value))}), parameters, kind)
        return float(np.log(found.tops_per_w / wanted))

    now = getattr(getattr(start, kind), solved)
    ends = (_SMALLEST_J, _LARGEST_J) if solved.endswith("_j") else (now * _LEAST, now * _MOST)
    low, high = np.log(ends)
    if excess(low) < 0 or excess(high) > 0:
        return EnergySet(text, kind, changed, solved, None, None)
    value = float(np.exp(brentq(excess, low, high, xtol=1e-12)))
    return EnergySet(text, kind, changed, solved, value, _energy(_with(start, kind, {solved: value}), parameters, kind))


def _sensitivity(card: TernaryEnergyCard, parameters: MacrospinParameters, kind: str, name: str) -> Sensitivity:
    table, _, key = name.rpartition(".")
    table = table or kind
    now = getattr(getattr(card, table), key)

    def tops_per_w(value: float) -> float:
        capped = min(value, 1.0) if key in ("activity", "share") else value
        return _energy(_with(card, table, {key: capped}), parameters, kind).tops_per_w

    return Sensitivity(kind, name, tops_per_w(now / FACTOR), tops_per_w(now * FACTOR))

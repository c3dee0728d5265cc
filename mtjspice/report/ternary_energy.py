"""Energy of ternary synapses: tables, and the figure of what TOPs/W are sensitive to."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from mtjspice.cosim.ternary_energy import SpiceEnergy
from mtjspice.report.figure import figure
from mtjspice.report.table import plain_table
from mtjspice.surrogate.ternary_energy import FACTOR, TernaryEnergyReport
from mtjspice.units import format_si

_OPERATIONS = {"read": "read", "write": "update"}
_UNITS = {"_j": "J", "_v": "V", "_s": "s", "_a": "A"}


def energy_table(report: TernaryEnergyReport) -> Table:
    """Return a synapse's energy by its parts, and TOPs/W beside the published ones."""
    columns = ("", "junctions", "sensing", "drivers", "in all", "TOPs/W", "published", "TOPs")
    table = plain_table(f"Energy of a ternary synapse, card {report.card.name}", columns)
    published = report.card.published
    for kind, wanted in (("read", published.read_tops_per_w), ("write", published.write_tops_per_w)):
        energy = report.energy(kind)
        parts = (energy.junctions_j, energy.sense_j, energy.driver_j, energy.total_j)
        table.add_row(
            f"{_OPERATIONS[kind]}, {energy.ops:g} op",
            *(format_si(part, "J", 3) for part in parts),
            f"{energy.tops_per_w:.3g}",
            f"{wanted:g}",
            f"{energy.tops:.3g}",
        )
    return table


def sets_table(report: TernaryEnergyReport) -> Table:
    """Return the sets of numbers that give the published ones."""
    published = report.card.published
    title = f"Sets that give {published.read_tops_per_w:g} and {published.write_tops_per_w:g} TOPs/W"
    table = plain_table(title, ("", "set", "parameter", "value", "a synapse"), text=("", "set", "parameter"))
    for found in report.sets:
        unit = next((unit for suffix, unit in _UNITS.items() if found.solved.endswith(suffix)), "")
        table.add_row(
            _OPERATIONS[found.kind],
            found.text,
            found.solved,
            "none" if found.value is None else format_si(found.value, unit, 3),
            "" if found.energy is None else format_si(found.energy.total_j, "J", 3),
        )
    return table


def sensitivity_table(report: TernaryEnergyReport) -> Table:
    """Return TOPs/W with each parameter halved and doubled."""
    title = f"TOPs/W with one parameter over and times {FACTOR:g}; shares end at 1"
    table = plain_table(title, ("", "parameter", f"/ {FACTOR:g}", "card", f"x {FACTOR:g}"), text=("", "parameter"))
    for found in report.sensitivities:
        table.add_row(
            _OPERATIONS[found.kind],
            found.parameter,
            f"{found.low:.3g}",
            f"{report.energy(found.kind).tops_per_w:.3g}",
            f"{found.high:.3g}",
        )
    return table


def spice_energy_table(found: Sequence[SpiceEnergy]) -> Table:
    """Return one synapse's energy in SPICE beside the formula for its junctions."""
    columns = ("", "lines, SPICE", "junctions, formula", "ratio", "gates, SPICE")
    table = plain_table("One synapse in SPICE, array card's levels, junctions that keep their states", columns)
    for energy in found:
        table.add_row(
            energy.text,
            format_si(energy.lines_j, "J"),
            format_si(energy.formula_j, "J"),
            f"{energy.lines_j / energy.formula_j:.3f}",
            format_si(energy.gates_j, "J"),
        )
    return table


def draw_ternary_energy(report: TernaryEnergyReport, path: Path) -> None:
    """Draw TOPs/W with each parameter halved and doubled, the most sensitive on top, beside the published value."""
    with figure(path, rows=1, columns=2) as (_, axes):
        for axis, kind in zip(axes[0], _OPERATIONS, strict=True):
            found = [s for s in report.sensitivities if s.kind == kind]
            found.sort(key=lambda s: max(s.low, s.high) / min(s.low, s.high))
            now = report.energy(kind).tops_per_w
            for place, sensitivity in enumerate(found):
                axis.barh(place, sensitivity.low - now, left=now, color="C0", label="halved" if place == 0 else None)
                axis.barh(place, sensitivity.high - now, left=now, color="C1", label="doubled" if place == 0 else None)
            published = report.card.published
            wanted = published.read_tops_per_w if kind == "read" else published.write_tops_per_w
            axis.axvline(wanted, color="0.3", ls=":", lw=1, label="published")
            axis.set_yticks(range(len(found)), [s.parameter for s in found])
            axis.set(xlabel="TOPs/W", title=_OPERATIONS[kind], xscale="log")
            axis.legend()

"""Calibrated cells as a table."""

from typing import Any

from rich.table import Table

from mtjspice.cards.conventions import Direction
from mtjspice.report.table import plain_table
from mtjspice.units import format_si


def cell_table(summary: dict[str, Any]) -> Table:
    """Return currents, junction and driver voltages of each architecture and direction."""
    columns = ("", "", "I0", "I1", "junction, |x| = 0 ... 1", "driver, |x| = 0 ... 1")
    table = plain_table(f"Cells of {summary['card']} in {summary['array']}", columns)
    for architecture, cell in summary["cells"].items():
        table.add_section()
        name = architecture
        for direction in Direction:
            entry = cell[direction.value]
            table.add_row(
                name,
                direction.label,
                format_si(entry["i0_a"], "A"),
                format_si(entry["i1_a"], "A"),
                *(" ... ".join(format_si(v, "V") for v in entry[key]) for key in ("v_junction_v", "v_driver_v")),
            )
            name = ""
    return table

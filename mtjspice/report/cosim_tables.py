"""Tables of co-simulations."""

from collections.abc import Sequence

from rich.table import Table

from mtjspice.cosim.compare_step import Comparison
from mtjspice.cosim.grid import Entry
from mtjspice.report.table import plain_table
from mtjspice.units import format_si


def comparison_table(comparison: Comparison) -> Table:
    """Return what was compared in one step, SPICE beside the surrogate."""
    table = plain_table(comparison.step.title, ("", "SPICE", "surrogate", "difference", "limit"))
    if comparison.read_error is not None:
        table.add_row("read currents, cell by cell", "", "", f"{comparison.read_error:.2e}", "1 %")
    flips = comparison.flips
    table.add_row(
        "flips a write", f"{flips.spice.sum():.3f}", f"{flips.surrogate.sum():.3f}", f"p = {flips.p_value:.3g}", "0.01"
    )
    for cell in comparison.worst_cells():
        table.add_row(
            f"  cell {cell['row']}_{cell['column']}",
            f"{cell['spice']:.3f}",
            f"{cell['surrogate']:.3f}",
            f"{cell['sigma']:+.1f} sigma",
            "4 sigma",
        )
    table.add_row(
        "energy",
        format_si(float(comparison.spice_j.mean()), "J"),
        format_si(float(comparison.surrogate_j.mean()), "J"),
        f"{100 * comparison.energy_error:+.2f} %",
        "3 %",
    )
    return table


def grid_table(entries: Sequence[Entry]) -> Table:
    """Return one line a comparison of the grid."""
    columns = ("step", "seeds", "reads", "flips", "surrogate", "p", "worst", "energy", "")
    table = plain_table("SPICE beside the surrogate", columns)
    for entry in entries:
        c = entry.comparison
        name = c.step.title if entry.control is None else f"  {entry.control}"
        verdict = "agrees" if entry.control is None else "rejected"
        table.add_row(
            name,
            str(len(c.spice_j)),
            "" if c.read_error is None else f"{c.read_error:.1e}",
            f"{c.flips.spice.sum():.2f}",
            f"{c.flips.surrogate.sum():.2f}",
            f"{entry.corrected_p:.2g}",
            f"{c.flips.worst_sigma:.1f}",
            f"{100 * c.energy_error:+.1f} %",
            verdict if entry.as_it_should else "NOT SO",
        )
    return table

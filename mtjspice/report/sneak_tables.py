"""Sneak paths as tables of at most 100 columns."""

from collections.abc import Sequence

from rich.table import Table

from mtjspice.report.table import plain_table
from mtjspice.surrogate.sneak import PaperCase, SchemeResult, SneakReport
from mtjspice.units import format_si

_LEAST = 1e-12
"""Smaller numbers of flips mean nothing."""


def sneak_table(report: SneakReport) -> Table:
    """Return the unselected cells of a phase by kind; voltages also over the phase's largest level V."""
    title = f"{report.phase}, unselected lines {report.bias.label}: cells that are not selected"
    if report.level_v:
        title += f"; V = {format_si(report.level_v, 'V')}"
    table = plain_table(title, ("", "cells", "mean |V|", "over V", "worst |V|", "over V", "false flips"))
    rows = [(k.kind.label, k.cells, k.mean_v, k.worst_v, k.expected_false_flips) for k in report.kinds]
    rows.append(("all", report.unselected_v.size, report.mean_v, report.worst_v, report.expected_false_flips))
    for name, cells, mean_v, worst_v, flips in rows:
        table.add_row(
            name,
            str(cells),
            format_si(mean_v, "V"),
            _over(mean_v, report.level_v),
            format_si(worst_v, "V"),
            _over(worst_v, report.level_v),
            _chance(flips),
        )
    return table


def biasing_table(results: Sequence[SchemeResult]) -> Table:
    """Return what a write does to unselected cells, one line a scheme."""
    title = "A write, by what holds the unselected lines; V is a phase's largest level"
    table = plain_table(title, ("", "mean |V|/V", "worst |V|/V", "false flips", "energy a phase", "energy"))
    for result in results:
        table.add_row(
            result.label,
            f"{result.mean_ratio:.3f}",
            f"{result.worst_ratio:.3f}",
            _chance(result.expected_false_flips),
            format_si(result.energy_j, "J"),
            format_si(result.energy_j * result.phases, "J"),
        )
    return table


def paper_table(cases: Sequence[PaperCase]) -> Table:
    """Return section 4.4's cases beside the network's answers, these over the paper's value."""
    title = "Mondal & Srivastava, section 4.4, and an array without wires"
    table = plain_table(title, ("", "", "paper", "", "network", "parts", "P(false)"))
    for case in cases:
        table.add_row(
            f"{case.phases} phases, {case.case}",
            case.direction.label,
            case.expression,
            f"{case.paper_v:.3f} V",
            f"{case.ratio:.3f}",
            " ".join(f"{part_v / case.paper_v:.3f}" for part_v in case.parts_v),
            _chance(case.probability),
        )
    return table


def _over(volts: float, level_v: float) -> str:
    return f"{volts / level_v:.3f}" if level_v else "-"


def _chance(value: float) -> str:
    return f"{value:.3g}" if value == 0 or value >= _LEAST else f"< {_LEAST:g}"

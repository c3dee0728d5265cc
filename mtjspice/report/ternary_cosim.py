"""Ternary synapses in SPICE beside the surrogate: table and figure."""

from pathlib import Path

import numpy as np
from rich.table import Table

from mtjspice.cosim.ternary import Case, TernaryComparison
from mtjspice.report.figure import figure
from mtjspice.report.table import plain_table


def ternary_cosim_table(found: TernaryComparison) -> Table:
    """Return every pulse that drives a junction out of its state; all other junctions are one line a level."""
    trials = len(found.levels[0].spice_j)
    title = f"Ternary synapses: {trials} updates of {found.width_s * 1e9:.3g} ns in SPICE beside the cell's surface"
    columns = ("level", "W", "(m1, m2)", "dW", "", "V", "SPICE", "95 % interval", "surface", "sigma")
    table = plain_table(title, columns, text=("", "(m1, m2)"))
    for level in found.levels:
        for case in filter(lambda case: case.driven_out, level.cases):
            table.add_row(
                f"{case.level:g}",
                f"{case.weight:+d}" if case.weight else "0",
                f"({case.pair[0]}, {case.pair[1]})",
                f"{case.sign:+d}",
                f"M{case.junction} {case.direction.label if case.direction else ''}",
                f"{case.v_junction_v:.3f}",
                f"{case.switched / case.trials:.4f}",
                f"{case.low95:.4f} ... {case.high95:.4f}",
                f"{case.surface:.4f}",
                f"{case.sigma:+.1f}",
            )
        others = [case for case in level.cases if not case.driven_out]
        switched = sum(case.switched for case in others)
        table.add_row(
            f"{level.level:g}", "", "", "", f"{len(others)} others", "", f"{switched}", f"of {len(others) * trials}"
        )
    return table


def ternary_cosim_lines(found: TernaryComparison) -> list[str]:
    """Return the sums of the comparison with their limits, a line each."""
    return [
        f"read currents: surrogate within {found.read_error:.2e} of the current of W = 1 (limit 1 %); "
        f"x v (G_M1 - G_M2) of equal, linear switches within {found.linear_error:.2e}",
        f"flips: p = {min(found.p_values):.3g} (limit 0.01), worst {found.worst_sigma:.1f} sigma (limit 4)",
        f"energy of an update: {100 * found.energy_error:+.2f} % (limit 3 %)",
    ]


def draw_ternary_cosim(found: TernaryComparison, path: Path) -> None:
    """Draw the fraction that switched with its exact interval over the surface's probability."""
    with figure(path, rows=1, columns=len(found.levels)) as (_, axes):
        for axis, level in zip(axes[0], found.levels, strict=True):
            cases = [case for case in level.cases if case.driven_out]
            for sign, colour in ((1, "C0"), (-1, "C3")):
                chosen = [case for case in cases if case.sign == sign]
                x = np.array([case.surface for case in chosen])
                y = np.array([case.switched / case.trials for case in chosen])
                bars = np.abs(np.array([_ends(case) for case in chosen]).T - y)
                axis.errorbar(x, y, bars, fmt=".", color=colour, lw=1, label=f"dW {'> 0' if sign > 0 else '< 0'}")
            largest = max(case.high95 for case in cases)
            axis.plot([0, largest], [0, largest], color="0.6", lw=1, zorder=0)
            axis.set(xlabel="P of the cell surface", ylabel="switched in SPICE", title=f"level {level.level:g}")
            axis.legend()


def _ends(case: Case) -> tuple[float, float]:
    return case.low95, case.high95

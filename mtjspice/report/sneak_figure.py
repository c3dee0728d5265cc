"""The figure of a phase's sneak paths; matplotlib is imported when it is drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.report.figure import figure
from mtjspice.surrogate.sneak import SchemeResult, SneakReport


def draw_sneak(report: SneakReport, results: Sequence[SchemeResult], path: Path) -> None:
    """Draw |V| of all cells, selected ones marked, and beside it what each scheme leaves on unselected cells."""
    with figure(path, rows=1, columns=2) as (_, axes):
        left, right = axes[0]
        _draw_cells(left, report)
        _draw_schemes(right, results)


def _draw_cells(axis: Any, report: SneakReport) -> None:
    rows, columns = report.v_v.shape
    image = axis.imshow(np.abs(report.v_v), cmap="viridis", vmin=0, aspect="auto")
    axis.figure.colorbar(image, ax=axis, label="|V| over the junction [V]")
    row, column = np.nonzero(report.selected)
    # A marker covers about a third of a cell, whatever their number.
    axis.plot(column, row, "s", ms=min(8.0, 70 / max(rows, columns)), mfc="none", mec="C3", ls="none")
    step = 1 + (max(rows, columns) - 1) // 8
    axis.set_xticks(range(0, columns, step), range(1, columns + 1, step))
    axis.set_yticks(range(0, rows, step), range(1, rows + 1, step))
    axis.set(xlabel="column", ylabel="row")
    axis.set_title(f"{report.phase}, unselected lines {report.bias.label}; squares: selected cells", fontsize=9)
    axis.grid(visible=False)


def _draw_schemes(axis: Any, results: Sequence[SchemeResult]) -> None:
    places = np.arange(len(results))
    worst = [result.worst_ratio for result in results]
    axis.bar(places - 0.2, [result.mean_ratio for result in results], 0.4, color="C0", label="mean")
    axis.bar(places + 0.2, worst, 0.4, color="C1", label="worst")
    for place, result in zip(places.tolist(), results, strict=True):
        text = f"{result.expected_false_flips:.3g}\nfalse flips"
        top = max(result.mean_ratio, result.worst_ratio)
        axis.annotate(text, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=8)
    axis.axhline(1 / 3, color="0.3", ls=":", lw=1, label="1/3")
    axis.set_xticks(places, [result.label.replace(", ", "\n") for result in results])
    axis.set(ylabel="|V| of unselected cells / V", ylim=(0, 1.3 * max(*worst, 1 / 3)))
    axis.grid(visible=False, axis="x")
    axis.legend(loc="upper right")

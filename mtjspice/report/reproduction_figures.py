"""Figures of a paper's tables and figures, beside ours."""

from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.experiments.reproduction import Cell, Reproduction
from mtjspice.report.figure import figure
from mtjspice.report.reproduction_tables import per_sample

_PAIR = 0.8
"""Width of all bars of a group."""


def draw_bars(reproduction: Reproduction, path: Path) -> None:
    """Draw a table's numbers: the paper's pale, ours beside them with the deviation over seeds.

    Sections of which nothing was trained are left out. Columns are groups; where there are two only, rows are.
    """
    sections = {
        section: cells for section, cells in reproduction.sections.items() if any(map(reproduction.result, cells))
    }
    columns = 1 if len({cell.column for cell in reproduction.cells}) > 2 else 2
    with figure(path, -(-len(sections) // columns), columns, width_in=10.4) as (_, axes):
        for axis, (section, cells) in zip(axes.flat, sections.items(), strict=False):
            by_column = len({cell.column for cell in cells}) >= 3
            _draw_section(axis, reproduction, cells, by_column)
            axis.set(ylabel="misclassified [%]", title=section, ylim=(0, None))
        axes[0, 0].set_title(f"{section_title(reproduction)}{next(iter(sections))}")
        for axis in axes.flat[len(sections) :]:
            axis.remove()
        axes[0, columns - 1].legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))


def draw_curves(reproduction: Reproduction, path: Path) -> None:
    """Draw a figure's curves, a panel for each network that was trained."""
    from matplotlib.ticker import MaxNLocator

    panels = {
        section: shown
        for section, cells in reproduction.sections.items()
        if (shown := [(cell, result) for cell in cells if (result := reproduction.result(cell))])
    }
    with figure(path, 1, len(panels)) as (_, axes):
        for axis, (section, shown) in zip(axes[0], panels.items(), strict=True):
            for number, (cell, result) in enumerate(shown):
                mse = result["train_mse"]
                false = result["false_flips_per_sample"]
                label = f"{cell.row}; {per_sample(false)} false flips a sample"
                axis.plot(range(len(mse)), mse, marker="o", ms=3, color=f"C{number}", label=label)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.set(xlabel="epoch", ylabel="mean squared error of training", title=section, ylim=(0, None))
            axis.legend()
        axes[0, 0].set_title(f"{section_title(reproduction)}{next(iter(panels))}")


def section_title(reproduction: Reproduction) -> str:
    """Return what stands before the first panel's title."""
    quick = ", quick version" if reproduction.conditions.quick else ""
    return f"rule {reproduction.conditions.rule}{quick}: "


def _draw_section(axis: Any, reproduction: Reproduction, cells: tuple[Cell, ...], by_column: bool) -> None:
    groups = list(dict.fromkeys(cell.column if by_column else cell.row for cell in cells))
    series = list(dict.fromkeys(cell.row if by_column else cell.column for cell in cells))
    width = _PAIR / (2 * len(series))
    for number, name in enumerate(series):
        left = np.arange(len(groups)) - _PAIR / 2 + (2 * number + 0.5) * width
        ours = [cell for cell in cells if (cell.row if by_column else cell.column) == name]
        printed = [np.nan if cell.printed is None else cell.printed for cell in ours]
        results = [reproduction.result(cell) for cell in ours]
        mean = [100 * result["test_error"] if result else np.nan for result in results]
        spread = [100 * result["test_error_std"] if result else 0.0 for result in results]
        if not np.isnan(printed).all():
            axis.bar(left, printed, width, color=f"C{number}", alpha=0.35, label=f"{name}, paper")
        axis.bar(
            left + width, mean, width, color=f"C{number}", yerr=spread, label=f"{name}, ours",
            error_kw={"lw": 0.8, "capsize": 1.5},
        )  # fmt: skip
    axis.set_xticks(range(len(groups)), groups)

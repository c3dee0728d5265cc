"""The page and the figure of networks on dies with defects."""

from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.experiments.dies import DieTable, Row
from mtjspice.files import write_text
from mtjspice.report.dies_tables import dies_markdown
from mtjspice.report.figure import figure
from mtjspice.training.dies.evaluation import NEAR_POINTS

_SHOWN_RATE = 0.01
_COLOURS = {"ideal": "C3", "statistics-aware": "C0", "statistics-aware, per die": "C2"}
_COPIED, _IDEAL_COPIED, _ONE_DIE, _IN_LOOP, _COUNTED = "C4", "C5", "0.45", "C1", "C6"
_STYLES = {"as is": "-", "calibrated": ":", "remapped, calibrated": "--"}
_SMALLEST = 3e-4
"""Where a rate of 0 stands on the axis."""


def draw_dies(found: DieTable, folder: Path) -> None:
    """Write ``NAME.md`` and ``NAME.png`` into `folder`.

    Raises:
        OutputError: the folder cannot be written.
    """
    write_text(folder / f"{found.stem}.md", dies_markdown(found))
    with figure(folder / f"{found.stem}.png", rows=1, columns=2, width_in=14.0, heights_in=[6.8]) as (_, axes):
        _draw_rates(axes[0][0], found)
        _draw_points(axes[0][1], found)


def _draw_rates(axis: Any, found: DieTable) -> None:
    """Draw mean errors over the rate of defects."""
    rates = np.array(found.asked.rates)
    at = 100 * np.maximum(rates, _SMALLEST)
    for row in found.asked.rows:
        if row.training.only_at is not None:
            continue
        means = [100 * found.errors(row, rate).mean() for rate in found.asked.rates]
        axis.plot(
            at, means, _STYLES.get(row.name, "-."), marker="o", ms=4, lw=1.5, color=_colour(row), label=_name(row)
        )
    _draw_software(axis, found)
    axis.set(xscale="log", yscale="log", xlabel="defective cells, mean over dies [%]", ylabel="test error, mean [%]")
    axis.set_xticks(at, [f"{100 * rate:g}" for rate in rates])
    axis.minorticks_off()
    ticks = [tick for tick in (3, 5, 10, 20, 50, 90) if tick >= 100 * found.baseline * 0.8]
    axis.set_yticks(ticks, [str(tick) for tick in ticks])
    axis.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)


def _draw_points(axis: Any, found: DieTable) -> None:
    """Draw each die's error, a line of points for each row of the table."""
    rates = found.asked.rates
    rate = _SHOWN_RATE if _SHOWN_RATE in rates else rates[-1]
    rows = [row for row in found.asked.rows if rate in row.training.rates(rates)]
    rng = np.random.default_rng(0)
    for place, row in enumerate(rows):
        errors = 100 * found.errors(row, rate).mean(axis=0)
        axis.plot(errors, place + rng.uniform(-0.25, 0.25, errors.size), "o", ms=3.5, alpha=0.75, color=_colour(row))
        axis.plot(errors.mean(), place, "|", ms=22, mew=2.2, color="k")
    axis.axvline(100 * found.baseline, color="0.3", lw=1)
    axis.axvspan(100 * found.baseline, 100 * (found.baseline + NEAR_POINTS), color="0.3", alpha=0.12, lw=0)
    axis.set(xscale="log", xlabel="test error [%]; bars: means", title=f"each die, {100 * rate:g} % of cells defective")
    ticks = (3, 5, 10, 20, 50, 90)
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_yticks(range(len(rows)), [f"{row.training.name}\n{row.name}" for row in rows], fontsize=7.5)
    axis.invert_yaxis()


def _draw_software(axis: Any, found: DieTable) -> None:
    software = 100 * found.baseline
    axis.axhline(software, color="0.3", lw=1)
    axis.axhspan(software, software + 100 * NEAR_POINTS, color="0.3", alpha=0.12, lw=0)


def _colour(row: Row) -> str:
    if row.training.copies > 1:
        return _COPIED if row.training.calibrated else _IDEAL_COPIED
    if row.training.method.needs_a_die:
        return _IN_LOOP if row.training.name.startswith("chip") else _ONE_DIE
    return _COLOURS.get(row.training.name, _COUNTED)


def _name(row: Row) -> str:
    return f"{row.training.name}; {row.name}"

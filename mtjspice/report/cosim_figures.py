"""Figures of co-simulations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cosim.compare_step import Comparison
from mtjspice.cosim.grid import Entry
from mtjspice.report.figure import figure

_SCHEME_COLOURS = {"1t1r 2": "C0", "1r 2": "C1", "1r 4": "C2"}


def draw_comparison(comparison: Comparison, path: Path) -> None:
    """Draw flip fractions against each other, and each cell's place in sigma."""
    rows, columns = comparison.step.state.shape
    with figure(path, rows=1, columns=2) as (_, axes):
        left, right = axes[0]
        _draw_fractions(left, comparison, "C0", comparison.step.title)
        left.legend()
        image = right.imshow(comparison.flips.sigma.reshape(rows, columns), cmap="RdBu", vmin=-4, vmax=4)
        left.figure.colorbar(image, ax=right, label="SPICE over surrogate [sigma]")
        right.set(xlabel="column", ylabel="row", title=f"p = {comparison.flips.p_value:.3g}")
        right.set_xticks(range(columns), range(1, columns + 1))
        right.set_yticks(range(rows), range(1, rows + 1))
        right.grid(visible=False)


def draw_grid(entries: Sequence[Entry], path: Path) -> None:
    """Draw all cells of the grid's steps, and beside them the controls that are to be rejected."""
    with figure(path, rows=1, columns=2) as (_, axes):
        left, right = axes[0]
        seen = set()
        for entry in entries:
            if entry.control is None:
                step = entry.comparison.step
                name = f"{step.architecture} {step.phases}"
                label = f"{step.architecture}, {step.phases} phases" if name not in seen else None
                seen.add(name)
                _draw_fractions(left, entry.comparison, _SCHEME_COLOURS[name], label)
        left.set_title("the surrogate")
        for k, entry in enumerate(e for e in entries if e.control is not None):
            _draw_fractions(right, entry.comparison, f"C{k + 3}", entry.control)
        right.set_title("controls, which must be rejected")
        for axis in (left, right):
            axis.legend()


def _draw_fractions(axis: Any, comparison: Comparison, colour: str, label: str | None) -> None:
    flips, trials = comparison.flips, len(comparison.spice_j)
    error = np.sqrt(flips.surrogate * (1 - flips.surrogate) / trials)
    axis.errorbar(flips.surrogate, flips.spice, error, fmt=".", ms=5, lw=0.7, color=colour, label=label)
    axis.plot([0, 1], [0, 1], color="0.6", lw=1, zorder=0)
    axis.set(xlabel="flipped on the surrogate", ylabel="flipped in SPICE", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))

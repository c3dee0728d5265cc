"""The figure of letters learnt in SPICE and on the surrogate."""

from pathlib import Path

import numpy as np

from mtjspice.experiments.patterns_campaign import Loops, PatternsResult, mean_and_error
from mtjspice.report.figure import figure


def draw_patterns(result: PatternsResult, path: Path) -> None:
    """Draw error and accuracy over epochs on both sides; bands are standard errors over the seeds."""
    sides: tuple[tuple[str, Loops, str], ...] = (
        ("SPICE", result.spice, "C0"),
        ("surrogate", result.surrogate, "C1"),
    )
    seeds, _, points = result.spice.error.shape
    epochs = np.arange(points)
    with figure(path, rows=1, columns=2) as (_, axes):
        for axis, name, label in zip(axes[0], ("error", "accuracy"), ("mean error E", "accuracy"), strict=True):
            for side, loops, colour in sides:
                mean, error = mean_and_error(getattr(loops, name))
                axis.plot(epochs, mean, marker="o", ms=4, color=colour, label=side)
                axis.fill_between(epochs, mean - error, mean + error, color=colour, alpha=0.2, lw=0)
            axis.set(xlabel="epoch", ylabel=label, xticks=epochs)
        left, right = axes[0]
        left.set(ylim=(0, None), title=f"{result.architecture}, {seeds} seeds: p = {result.p_value:.2g}")
        right.set(ylim=(0, 1.02), title="letters recognised")
        left.legend()

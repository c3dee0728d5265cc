"""The figure of a training: how it went, what is mistaken for what, and what the junctions hold."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.report.figure import figure
from mtjspice.training.campaign import TrainingResult
from mtjspice.training.plan import Scenario

_IMAGE_SIDE = 16
"""Inputs of a square number, from this side on, are taken for images."""
_UNITS_SHOWN = 16
_ANNOTATED_CLASSES = 10
_STATES = ("0.15", "#f2c14e")  # antiparallel, parallel


def draw_training(result: TrainingResult, path: Path) -> None:
    """Draw error over epochs, the confusion matrix and the first layer's states."""
    with figure(path, rows=1, columns=3, width_in=15.5, heights_in=[4.6]) as (_, axes):
        left, middle, right = axes[0]
        _draw_epochs(left, result)
        _draw_confusion(middle, result)
        _draw_states(right, result)


def _draw_epochs(axis: Any, result: TrainingResult) -> None:
    """Draw means over the seeds, with bands of one standard deviation."""
    from matplotlib.ticker import MaxNLocator

    plan, last = result.plan, result.plan.epochs
    epochs = np.arange(last + 1)
    curves = [
        ("training MSE", "C0", axis, np.array([run["train_mse"] for run in result.runs])),
        ("test error [%]", "C3", axis.twinx(), 100 * np.array([run["test_errors"] for run in result.runs])),
    ]
    for name, colour, own, values in curves:
        mean, spread = values.mean(axis=0), values.std(axis=0)
        learnt = slice(0, last + 1)
        marker = "o" if last <= 40 else None
        own.plot(epochs, mean[learnt], marker=marker, ms=3.5, lw=1.4, color=colour)
        own.fill_between(epochs, (mean - spread)[learnt], (mean + spread)[learnt], color=colour, alpha=0.18, lw=0)
        # The start, by chance, would leave no room for the rest: it comes in from above.
        own.set_ylim(0, 1.15 * float((mean + spread)[1 if last > 1 else 0 :].max()) or 1)
        own.set_ylabel(name, color=colour)
        own.tick_params(axis="y", colors=colour)
    if plan.scenario is Scenario.PROGRAMMED:
        _, colour, own, values = curves[1]
        own.plot(last, values[:, -1].mean(), "*", ms=11, color=colour, label="programmed")
        own.legend()
    seeds = len(result.runs)
    axis.set(xlabel="epoch", xlim=(0, last * 1.01))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_title(f"{Path(plan.data).stem}, {plan.net}, {seeds} seed{'s' * (seeds > 1)}")


def _draw_confusion(axis: Any, result: TrainingResult) -> None:
    from matplotlib.colors import PowerNorm

    found = result.to_json()
    counts, classes = np.array(found["confusion"]), found["classes"]
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    # The rare mistakes are what one looks for: colour goes with the root of the share.
    image = axis.imshow(share, cmap="Blues", norm=PowerNorm(0.5, 0, 100))
    axis.grid(visible=False)
    if len(classes) <= _ANNOTATED_CLASSES:
        crowded = sum(map(len, classes)) > 40
        axis.set_xticks(range(len(classes)), classes, rotation=90 * crowded)
        axis.set_yticks(range(len(classes)), classes, rotation=90 * (len(classes) == 2), va="center")
        size = 13 if len(classes) <= 3 else 8
        for (row, column), value in np.ndenumerate(share):
            if value > 0:
                text = f"{value:.0f}" if value >= 10 else f"{value:.1f}"
                colour = "white" if value > 40 else "0.2"
                axis.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    else:
        axis.figure.colorbar(image, ax=axis, label="% of a class")
    spread = f" ± {100 * found['test_error_std']:.2f}" if len(result.runs) > 1 else ""
    axis.set(
        xlabel="recognised as [% of the class]",
        ylabel="class",
        title=f"test error {100 * found['test_error']:.2f}{spread} %",
    )


def _draw_states(axis: Any, result: TrainingResult) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.ticker import MaxNLocator

    states = result.states()["layer_1"][0]
    inputs = result.runs[0]["sizes"][0]
    side = math.isqrt(inputs)
    is_image = side * side == inputs and side >= _IMAGE_SIDE
    shown = _mosaic(states[:inputs].T.reshape(-1, side, side)) if is_image else states.astype(float)
    colours = ListedColormap(_STATES)
    image = axis.imshow(shown, cmap=colours, vmin=0, vmax=1, aspect="equal" if is_image else "auto")
    axis.grid(visible=False)
    software = result.plan.scenario in (Scenario.REAL, Scenario.BINARY_CONNECT)
    bar = axis.figure.colorbar(image, ax=axis, ticks=[0.25, 0.75], shrink=0.5)
    bar.ax.set_yticklabels(["-", "+"] if software else ["AP, -b", "P, +b"])
    what = "signs of weights" if software else "junctions"
    if is_image:
        axis.set(
            xticks=[], yticks=[], title=f"{what} of {min(len(states.T), _UNITS_SHOWN)} units in layer 1, first seed"
        )
    else:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set(xlabel="unit", ylabel="input, bias last", title=f"{what} of layer 1, first seed")


def _mosaic(units: np.ndarray) -> np.ndarray:
    """Return the first of (n, side, side) images side by side, with nothing (NaN) between them."""
    chosen = units[:_UNITS_SHOWN]
    across = math.ceil(math.sqrt(len(chosen)))
    side = chosen.shape[1] + 2
    mosaic = np.full((side * math.ceil(len(chosen) / across), side * across), np.nan)
    for n, unit in enumerate(chosen):
        row, column = side * (n // across) + 1, side * (n % across) + 1
        mosaic[row : row + side - 2, column : column + side - 2] = unit
    return mosaic

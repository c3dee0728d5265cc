"""Networks for dies: tables and figures of their training and of what they come to on each die."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from mtjspice.report.figure import figure
from mtjspice.report.table import plain_table
from mtjspice.training.dies.campaign import DieTrainingResult
from mtjspice.training.dies.evaluation import NEAR_POINTS, Evaluation


def die_training_table(result: DieTrainingResult) -> Table:
    """Return what training came to, before any die."""
    plan, found = result.plan, result.to_json()
    table = plain_table(f"{Path(plan.data).stem}, {plan.net}, {plan.method}", ("", ""))
    rows = {
        "networks": f"{found['seeds']}",
        "test error in software [%]": _spread(100 * result.errors),
        "loss at the end, nats": f"{found['losses'][-1]:.3f}",
        "output columns": f"{plan.copies} of each" if plan.copies > 1 else "one of each",
        "columns calibrated on the die": "yes" if plan.calibrated else "no",
        "samples a second": f"{found['samples_per_s']:,.0f}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def draw_die_training(result: DieTrainingResult, path: Path) -> None:
    """Draw the loss of each network over epochs, and the first network's weights."""
    from matplotlib.ticker import MaxNLocator

    with figure(path, rows=1, columns=2, width_in=10.5, heights_in=[4.2]) as (_, axes):
        left, right = axes[0]
        epochs = np.arange(1, result.losses.shape[1] + 1)
        for number, losses in enumerate(result.losses):
            left.plot(epochs, losses, marker="o", ms=3, lw=1.3, label=f"network {number + 1}")
        left.set(xlabel="epoch", ylabel="training loss [nats]", ylim=(0, None))
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_title(f"{Path(result.plan.data).stem}, {result.plan.net}, {result.plan.method}")
        left.legend()
        right.imshow(result.networks[0].weights[0].T, cmap="gray", aspect="auto", interpolation="nearest")
        right.set(xlabel="input", ylabel="hidden unit", title="first layer of network 1: white +1, black -1")


def evaluation_table(found: Evaluation) -> Table:
    """Return errors of each network over dies, percent."""
    table = plain_table(
        f"{len(found.names)} dies; known of each: {found.deployment.needs}",
        ("network", "software [%]", "mean [%]", "spread", "worst [%]", f"within {100 * NEAR_POINTS:g} points"),
    )
    for number, (software, errors) in enumerate(zip(100 * found.software, 100 * found.errors, strict=True)):
        spread = errors.std(ddof=1) if len(errors) > 1 else 0.0
        table.add_row(
            f"{number + 1}",
            f"{software:.2f}",
            f"{errors.mean():.2f}",
            f"{spread:.2f}",
            f"{errors.max():.1f}",
            f"{found.near[number]} of {len(errors)} dies",
        )
    return table


def draw_evaluation(found: Evaluation, path: Path) -> None:
    """Draw the error on each die over its rate of defects, and the dies in order of their errors."""
    with figure(path, rows=1, columns=2, width_in=10.5, heights_in=[4.2]) as (_, axes):
        left, right = axes[0]
        for number, errors in enumerate(100 * found.errors):
            left.plot(100 * found.rates, errors, "o", ms=4, alpha=0.8, label=f"network {number + 1}")
            right.plot(np.arange(1, len(errors) + 1), np.sort(errors), marker="o", ms=3.5, lw=1.2)
        for axis in (left, right):
            _draw_software(axis, found)
            axis.set_ylim(0, None)
        left.set(xlabel="defective cells of the die [%]", ylabel="test error [%]")
        right.set(xlabel="dies, best first", ylabel="test error [%]")
        left.legend()


def _draw_software(axis: Any, found: Evaluation) -> None:
    software = 100 * float(found.software.mean())
    axis.axhline(software, color="0.3", lw=1, label="software")
    axis.axhspan(software, software + 100 * NEAR_POINTS, color="0.3", alpha=0.12, lw=0, label="within 2 points")


def _spread(values: np.ndarray) -> str:
    return f"{values.mean():.2f}" + (f" +- {values.std(ddof=1):.2f}" if len(values) > 1 else "")

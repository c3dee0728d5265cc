"""Networks of quantised weights: a training as a table and as a figure."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from mtjspice.crossbar.ternary import WeightKind
from mtjspice.report.figure import figure
from mtjspice.report.table import plain_table
from mtjspice.training.ternary.augmentation import FARTHEST, Augmentation
from mtjspice.training.ternary.campaign import TernaryResult
from mtjspice.training.ternary.plan import TernaryPlan, TernaryRule
from mtjspice.units import format_si

_SHOWN = 256
"""Inputs and units of a layer that a figure has room for."""


def ternary_table(result: TernaryResult) -> Table:
    """Return what a training came to, and what its rule takes."""
    plan, price, found = result.plan, result.price, result.to_json()
    errors = 100 * result.errors
    spread = f" +- {errors.std(ddof=1):.2f}" if len(errors) > 1 else ""
    table = plain_table(f"{Path(plan.data).stem}, {plan.net}: {plan.weights} weights", ("", ""), text=("",))
    table.show_header = False
    rows = {
        "accuracy": f"{100 - errors.mean():.2f}{spread} % of {found['test_samples']:,} test samples, last epoch",
        "weights": f"{found['weights_in_all']:,} {_where(result)}",
        "rule": _rule(plan),
        "price": f"{price['digital_bits'] or 'no'} bits of digital memory a weight",
        "updates": f"{100 * found['flipped'][0]:.2g} % of weights change in a batch of the first epoch, "
        f"{100 * found['flipped'][-1]:.2g} % in one of the last",
        "speed": f"{found['epoch_s']:.1f} s an epoch of {found['samples']:,} samples",
    }
    if plan.augments is not Augmentation.NONE:
        flipped = ", half of them mirrored" if plan.augments is Augmentation.SHIFT_FLIP else ""
        rows["images"] = f"moved by up to {FARTHEST} pixels each way in training{flipped}"
    first, last = found["pulsed"][0], found["pulsed"][-1]
    if plan.rule is TernaryRule.COUNTER:
        rows["price"] += (
            f" (a batch's inputs and errors wait), and {price['write_phases_per_batch']:,} write phases a batch of "
            f"{plan.batch_size}: two a sample, and strong pulses for each column"
        )
        rows["pulses"] = f"{first:.2g} a synapse and batch in the first epoch, {last:.2g} in the last"
    elif plan.junctions:
        rows["price"] += f", and {price['write_phases_per_batch']:,} write phases a batch: a row at a time"
        rows["pulses"] = (
            f"to {100 * first:.0f} % of synapses in a batch of the first epoch, {100 * last:.2g} % in one of the last"
        )
    if plan.switches:
        rows |= _energy_rows(found["energy"])
    for name, text in rows.items():
        table.add_row(name, text)
    table.columns[1].no_wrap = False
    return table


def _energy_rows(energy: dict[str, Any] | None) -> dict[str, str]:
    if energy is None:
        return {"energy": "not said: the energy card is of weights that are pairs of junctions"}
    read, update = energy["read"], energy["update"]
    first, last = update["epochs_j"][0], update["epochs_j"][-1]
    return {
        "reads": f"{format_si(read['image_j'], 'J', 3)} an image, {format_si(read['epoch_j'], 'J', 3)} an epoch, "
        f"forward: {read['multiply_accumulates']:,} multiply-accumulates an image, {read['tops_per_w']:.3g} TOPs/W",
        "writes": f"{format_si(first, 'J', 3)} in the first epoch, {format_si(last, 'J', 3)} in the last: "
        f"{format_si(update['pulse_j'], 'J', 3)} a pulse, {update['tops_per_w']:.3g} TOPs/W",
        "assumed": f"energies rest on the assumptions of the card `{energy['card']['name']}`, which "
        "mtjspice ternary energy lists; without errors going back, wires and digital circuits",
    }


def _rule(plan: TernaryPlan) -> str:
    if plan.rule is TernaryRule.COUNTER:
        read = "two highest bits" if plan.weights is WeightKind.TERNARY else "highest bit"
        return f"chopped counter of {plan.counting.bits} bits, whose {read} are the weight, and an accumulator"
    return (
        f"GXNOR, changes proposed by {plan.proposer}, learning rate {plan.rate:g} "
        f"to {plan.rate * plan.last_learning_rate:.2g}"
    )


def _where(result: TernaryResult) -> str:
    plan = result.plan
    if not plan.switches:
        return "in software"
    count = result.price["junctions"]
    widths = "any pulse width" if plan.widths is None else f"{plan.widths} pulse width{'s' * (plan.widths > 1)}"
    if not plan.junctions:
        widths = "switching with the probability that is aimed at"
    spread = f", resistances vary by {plan.variation_percent:g} %" if plan.variation_percent else ""
    return f"of {count} junction{'s' * (count > 1)} each, {widths}{spread}"


def draw_ternary(result: TernaryResult, path: Path) -> None:
    """Draw error and loss over epochs, the shares of synapses that are pulsed and that change, and first weights."""
    from matplotlib.ticker import MaxNLocator

    plan = result.plan
    epochs = np.arange(1, plan.epoch_count + 1)
    with figure(path, rows=1, columns=3, width_in=15.5, heights_in=[4.6]) as (_, axes):
        left, middle, right = axes[0]
        for own, colour, label, values in (
            (left, "C3", "test error [%]", 100 * result.by_epoch("test_error")),
            (left.twinx(), "C0", "training loss", result.by_epoch("loss")),
        ):
            for line in values:
                own.plot(epochs, line, marker="o", ms=3.5, lw=1.4, color=colour, alpha=0.8)
            own.set_ylabel(label, color=colour)
            own.tick_params(axis="y", colors=colour)
            own.set_ylim(0, None)
        left.set_title(f"{Path(plan.data).stem}, {plan.net}: {100 - 100 * result.errors.mean():.2f} % right at the end")
        for name, label in (("pulsed", "pulses"), ("flipped", "changes")):
            shares = 100 * result.by_epoch(name).mean(axis=0)
            if name == "flipped" or plan.switches:
                middle.semilogy(epochs, np.maximum(shares, 1e-6), marker="o", ms=3.5, lw=1.4, label=label)
        middle.set(xlabel="epoch", ylabel="for 100 synapses and a batch", title="updates")
        middle.legend()
        image = right.imshow(
            result.first_weights[:_SHOWN, :_SHOWN], cmap="RdBu", vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
        )
        right.grid(visible=False)
        right.figure.colorbar(image, ax=right, ticks=plan.weights.weights, shrink=0.6)
        right.set(xlabel="input", ylabel="unit", title="weights of layer 1, first network")
        for axis in (left, middle):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_xlabel("epoch")

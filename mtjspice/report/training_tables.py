"""A training as a table."""

from typing import Any

from rich.table import Table

from mtjspice.report.table import plain_table
from mtjspice.training.campaign import TrainingResult
from mtjspice.training.plan import Scenario
from mtjspice.units import format_si

_SEEDS_SHOWN = 10


def training_table(result: TrainingResult) -> Table:
    """Return what a training came to, and what its rule costs."""
    found = result.to_json()
    seeds = len(found["per_seed"])
    counted = _count(seeds, "seed")
    sizes = "-".join(map(str, found["sizes"]))
    table = plain_table(
        f"{found['data']}, {sizes}: {counted} of {_count(found['epochs'], 'epoch')}", ("", ""), text=("",)
    )
    table.show_header = False
    rows = [*_errors(found), ("weights", _weights(result)), *_price(result.plan.scenario, found)]
    rows += _happened(result.plan.scenario, found)
    rows.append(("speed", f"{found['samples_per_s']:,.0f} samples/s in one process"))
    for name, text in rows:
        table.add_row(name, text)
    table.columns[1].no_wrap = False
    return table


def _errors(found: dict[str, Any]) -> list[tuple[str, str]]:
    errors, of = found["per_seed"], f"of {found['test_samples']:,} test samples"
    if len(errors) == 1:
        return [("test error", f"{_percent(errors[0])} {of}")]
    mean, spread = f"{100 * found['test_error']:.2f}", _percent(found["test_error_std"])
    shown = " ".join(f"{100 * error:.2f}" for error in errors[:_SEEDS_SHOWN])
    more = len(errors) - _SEEDS_SHOWN
    return [
        ("test error", f"{mean} +- {spread} {of}, {_percent(min(errors))} to {_percent(max(errors))}"),
        ("seed by seed", f"{shown} %" + (f" and {more} more" if more > 0 else "")),
    ]


def _weights(result: TrainingResult) -> str:
    """Return where weights live, and how they got there."""
    plan = result.plan
    if plan.scenario is Scenario.REAL:
        return "real numbers, in software"
    if plan.scenario is Scenario.BINARY_CONNECT:
        return "binary, in software"
    how = "programmed into" if plan.scenario is Scenario.PROGRAMMED else "trained in"
    spread = f", resistances vary by {plan.variation_percent:g} %" if plan.variation_percent else ""
    cut = f" of at most {plan.array_rows} rows ({_sum(result.arrays)})" if plan.array_rows else ""
    return f"{how} {plan.architecture.upper()} crossbars{cut}, {plan.switching} switching{spread}"


def _price(scenario: Scenario, found: dict[str, Any]) -> list[tuple[str, str]]:
    if scenario is not Scenario.STOCHASTIC:
        return []
    price = found["price"]
    junctions = _count(price["junctions"], "junction")
    costs = f"{price['write_phases']:.3g} write phases a sample; a weight has {junctions}"
    rows = [
        ("rule", found["rule"]),
        ("price", costs + (f" and {price['digital_bits']} digital bits" if price["digital_bits"] else "")),
    ]
    return [*rows, ("besides", price["remark"])] if price["remark"] else rows


def _happened(scenario: Scenario, found: dict[str, Any]) -> list[tuple[str, str]]:
    if scenario is Scenario.PROGRAMMED:
        flips, false = (found[f"{kind}flips_per_sample"] * found["samples"] for kind in ("", "false_"))
        return [("flips", f"{flips:,.0f} to program them, and {false:,.0f} false ones")]
    if scenario is Scenario.REAL:
        return []
    errors = sum(found["sizes"][1:])
    clipped = (
        f"{_percent(found['clipped_x'])} of inputs, {_percent(found['clipped_delta_per_sample'] / errors)} of errors"
    )
    rows = [("clipped", clipped), ("flips a sample", f"{found['flips_per_sample']:.3g}")]
    if scenario is Scenario.STOCHASTIC:
        rows[-1] = ("flips a sample", f"{rows[-1][1]}, and {found['false_flips_per_sample']:.3g} false ones")
        rows.append(("energy a step", f"{format_si(found['step_j'], 'J', 3)}, reads and writes"))
        rows.append(("time a step", f"{format_si(found['step_s'], 's', 3)}, reads and writes"))
    return rows


def _sum(arrays: list[int]) -> str:
    return f"{' + '.join(map(str, arrays))} array{'s' * (arrays != [1])}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"
